# METADATA
# title: The evidence names different clients
# description: for example the token of one client with the certificate of another
# custom:
#   public: true
#   remedy: Send evidence of one client only.
package countersign.rules.identity.client_conflict

import data.countersign.lib.route
import data.countersign.lib.say
import data.countersign.lib.status

verdict := "clear" if {
	route.public
} else := say.deny_when(input.evidence.agreement.client == "conflict") if {
	status.agreement(input.evidence.agreement.client)
}
