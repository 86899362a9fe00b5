"""The attack range: forged requests from a second origin, against each defence of a site.

`attacks` names the attacks and the defences, `predict` says what must come of each pair,
`sightings` reads from the recording what came of it, `origin` is the attacker's own server, and
`attack_range` starts it all, on loopback only.
"""
