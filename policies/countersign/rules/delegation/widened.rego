# METADATA
# title: An actor holds a scope that was not passed on to it
# description: along the chain of act scopes may only grow less; where the token does not say the scopes of a hop this stays clear
# custom:
#   public: true
#   remedy: Exchange the token for no more scopes than the actor before held.
package countersign.rules.delegation.widened

import data.countersign.lib.route
import data.countersign.lib.status

verdict := "clear" if {
	route.public
} else := "clear" if {
	status.lacking(input.signals.token.status)
} else := "clear" if {
	is_null(input.signals.token.value.delegation)
} else := _verdict(delegation.widened, delegation.widened_scopes) if {
	delegation := input.signals.token.value.delegation
}

_verdict(null, []) := "clear"

_verdict(false, []) := "clear"

_verdict(true, scopes) := {"effect": "deny", "widened_scopes": scopes}
