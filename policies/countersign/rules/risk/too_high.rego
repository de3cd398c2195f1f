# METADATA
# title: The request looks too risky for this route
# description: up to the tier's first bound it passes, up to the second one with a bound or certified token, above it never
# custom:
#   remedy: Bring a bound or certified token, or see to the risk factors that are named.
package countersign.rules.risk.too_high

import data.countersign.lib.is
import data.countersign.lib.route
import data.countersign.lib.status

verdict := _verdict(sum([factor.points | some factor in factors]) + _threats, data.countersign.limits.tiers[input.route.tier].risk) if {
	input.route.status == "matched"
	factors := _factors
} else := "clear" if {
	route.outside
}

_verdict(score, risk) := {"effect": "clear", "factors": _factors, "allowed": risk.allowed} if is.at_most(score, risk.allowed)

_verdict(score, risk) := {"effect": "clear", "factors": _factors, "allowed": risk.allowed_bound} if {
	is.above(score, risk.allowed)
	is.at_most(score, risk.allowed_bound)
	is.at_most(3, input.evidence.assurance)
}

_verdict(score, risk) := {"effect": "step_up", "factors": _factors, "allowed": risk.allowed, "kind": step.kind, "methods": step.methods} if {
	is.above(score, risk.allowed)
	is.at_most(score, risk.allowed_bound)
	is.below(input.evidence.assurance, 3)

	# the next step on the way to level 3: without a verified token a certificate alone lifts nothing
	step := data.countersign.limits.assurance_steps[format_int(max([2, input.evidence.assurance + 1]), 10)]
}

_verdict(score, risk) := {"effect": "deny", "factors": _factors, "allowed": risk.allowed_bound} if is.above(score, risk.allowed_bound)

_points := data.countersign.limits.risk

# of the threats that were seen: their own rules report them
_threats := sum([factor.points | some name; some factor in data.countersign.rules.threat[name].verdict.factors])

# bound outside the list, which would hide that a part of it is undefined
_factors := [{"code": factor[0], "points": factor[1]} |
	some factor in all
	factor[1] > 0
] if {
	all := array.concat(_network, array.concat(_rate, _request))
}

_network := array.concat(_kinds, [["network.country", _points.countries[input.signals.network.value.country]]]) if {
	_points.countries[input.signals.network.value.country]
} else := _kinds if {
	input.signals.network.status == "present"
} else := [["network.unknown", _points.network_unknown]] if {
	status.lacking(input.signals.network.status)
}

_kinds := [[concat("", ["network.", kind]), _points.network_kinds[kind]] | some kind in kinds] if {
	kinds := input.signals.network.value.kinds
	is_array(kinds)
}

_rate := [] if {
	input.signals.rate.status == "present"
	input.signals.rate.value.degraded == false
} else := [["rate.unknown", _points.rate_unknown]] if {
	input.signals.rate.value.degraded == true
} else := [["rate.unknown", _points.rate_unknown]] if {
	status.lacking(input.signals.rate.status)
}

_request := [[concat("", ["request.", flag]), _points.request_flags[flag]] | some flag in flags] if {
	flags := input.request.flags
	is_array(flags)
}
