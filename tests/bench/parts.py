# SPDX-License-Identifier: Apache-2.0
"""What scripts/bench measures: each part takes a `Rig` and gives its table, and what is to be said about it."""

import part_geo
import part_load
import part_peers
import part_prober
import part_zones

PARTS = {
    "peers": part_peers.measure,
    "instructions": part_peers.count,
    "worst": part_peers.worst,
    "zones": part_zones.measure,
    "geo": part_geo.measure,
    "reload": part_load.measure_changes,
    "workers": part_load.measure_workers,
    "verdict": part_load.measure_verdict,
    "prober": part_prober.measure,
}
