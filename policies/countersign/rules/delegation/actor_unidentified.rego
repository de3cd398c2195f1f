# METADATA
# title: The token does not say who acts for its subject
# description: the outermost act has neither sub nor client_id
# custom:
#   public: true
#   remedy: Ask for a token whose act claim names the actor by sub or client_id.
package countersign.rules.delegation.actor_unidentified

import data.countersign.lib.route
import data.countersign.lib.status

verdict := "clear" if {
	route.public
} else := "clear" if {
	status.lacking(input.signals.token.status)
} else := "clear" if {
	is_null(input.signals.token.value.delegation)
} else := "clear" if {
	input.signals.token.value.delegation.actor_identified == true
} else := "deny" if {
	input.signals.token.value.delegation.actor_identified == false
}
