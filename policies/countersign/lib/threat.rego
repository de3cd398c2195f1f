# METADATA
# description: what a template of a threat says once it has seen the threat, by its entry of limits.threats
package countersign.lib.threat

import data.countersign.lib.is
import data.countersign.lib.route

seen(code, threat) := {"effect": threat.effect, "factors": _factors(code, threat)} if threat.effect in {"deny", "clear"}

# better evidence answers it
seen(code, threat) := {"effect": "clear", "factors": _factors(code, threat)} if {
	threat.effect == "step_up"
	is.at_most(3, input.evidence.assurance)
}

# anybody may call it
seen(code, threat) := {"effect": "clear", "factors": _factors(code, threat)} if {
	threat.effect == "step_up"
	route.public
}

seen(code, threat) := {"effect": "step_up", "kind": step.kind, "methods": step.methods, "factors": _factors(code, threat)} if {
	threat.effect == "step_up"
	_asks
	is.below(input.evidence.assurance, 3)

	# the next step on the way to level 3: without a verified token a certificate alone lifts nothing
	step := data.countersign.limits.assurance_steps[format_int(max([2, input.evidence.assurance + 1]), 10)]
}

_asks if route.protected

_asks if route.outside

_factors(_, threat) := [] if threat.points == 0

_factors(code, threat) := [{"code": code, "points": threat.points}] if is.above(threat.points, 0)
