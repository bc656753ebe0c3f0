"""People who walk through two beams, made from body sizes and gait, and not from any detector.

One passage is a line: the walking axis, metres, 0 midway between the beams, positive inward. A ``Body`` is what is seen
of a person at the height of the beams, a ``Course`` moves it along the axis, a ``Door`` turns both into the times at
which each beam is interrupted, as an E18-D50NK would tell them, and scenarios put people together:

    bodies, arms  ->  gait  ->  sensor  ->  scenarios  ->  trials  ->  lines `t_ms,outer,inner` and the truth

Nothing here knows how the firmware decides. docs/accuracy.md explains what is modelled and where its figures come from.
"""
