# METADATA
# title: The route needs stronger evidence of who is calling
# custom:
#   public: true
#   remedy: Bring what the step up names, a token, a client certificate or a token that is bound to its sender.
package countersign.rules.identity.assurance_too_low

import data.countersign.lib.is
import data.countersign.lib.route

verdict := _verdict(is.below(level, required), level, required) if {
	route.protected
	level := input.evidence.assurance
	required := data.countersign.limits.tiers[input.route.tier].assurance
} else := "clear" if {
	route.public
} else := "clear" if {
	route.outside
}

_verdict(false, _, required) := {"effect": "clear", "required": required}

# the next step is the lowest one that is not reached yet: without a verified token a certificate alone lifts nothing
_verdict(true, level, required) := {
	"effect": "step_up", "required": required,
	"kind": step.kind, "methods": step.methods,
} if {
	next := min({required, max({2, level + 1})})
	step := data.countersign.limits.assurance_steps[format_int(next, 10)]
}
