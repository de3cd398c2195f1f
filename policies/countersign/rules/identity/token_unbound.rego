# METADATA
# title: The route needs an access token that is bound to its sender
# description: where the tier says bound; what is bound and was not proven is refused by other rules
# custom:
#   public: true
#   remedy: Get a token that is bound to a key (DPoP) or to a client certificate.
package countersign.rules.identity.token_unbound

import data.countersign.lib.route

verdict := "clear" if {
	route.public
} else := "clear" if {
	route.outside
} else := _verdict(input.evidence.binding, object.get(data.countersign.limits.tiers[input.route.tier], "bound", false)) if {
	route.protected
}

_verdict(state, false) := "clear" if state in {"none", "matched", "mismatched", "unchecked"}

_verdict(state, true) := "clear" if state in {"matched", "mismatched"}

_verdict(state, true) := {"effect": "step_up", "kind": step.kind, "methods": step.methods} if {
	state in {"none", "unchecked"}
	step := data.countersign.limits.assurance_steps["4"]
}
