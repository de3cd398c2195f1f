# METADATA
# title: The token lacks a scope that the route asks for
# description: would be granted once the token has them all, so it is a step_up that grants
# custom:
#   public: true
package countersign.rules.access.scope_missing

import data.countersign.lib.is
import data.countersign.lib.route

verdict := _verdict(input.route.scopes, is.missing(input.route.scopes, token.value.scopes)) if {
	route.protected
	token := input.signals.token
	token.status == "present"
} else := "clear" if {
	input.signals.token.status in {"absent", "invalid", "unavailable"}
} else := "clear" if {
	route.public
} else := "clear" if {
	route.outside
}

_verdict(_, []) := "clear"

_verdict(wanted, missing) := verdict if {
	count(missing) > 0
	verdict := {"effect": "step_up", "kind": "scope", "grants": true, "scopes": wanted, "missing": missing}
}
