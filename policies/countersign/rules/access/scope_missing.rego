# METADATA
# title: The token or API key lacks a scope that the route asks for
# description: would be granted once it has them all, so it is a step_up that grants
# custom:
#   public: true
#   remedy: Ask for a token or an API key with the scopes that the route names.
package countersign.rules.access.scope_missing

import data.countersign.lib.credential
import data.countersign.lib.is
import data.countersign.lib.route

verdict := _verdict(input.route.scopes, is.missing(input.route.scopes, credential.scopes)) if {
	route.protected
} else := "clear" if {
	credential.none
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
