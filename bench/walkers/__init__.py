"""Simulated people who walk through two beams, modelled on body sizes and gait, not on any detector.

Everything happens on the walking axis: in metres, 0 midway between the beams, positive inward. A ``Body`` is the part
of a person at the height of the beams. A ``Course`` moves it along the axis. A ``BeamPair`` turns the movement into
interruptions, as a pair of E18-D50NK sensors would report them. Scenarios combine people:

    bodies, arms  ->  gait  ->  sensor  ->  scenarios  ->  trials  ->  lines `t_ms,outer,inner` and the truth

Nothing here knows how the firmware decides. docs/accuracy.md explains the model and the sources of its figures.
"""
