# METADATA
# title: The token is of an issuer that is not the client's
# description: by the issuers of its record
# custom:
#   public: true
#   remedy: Get the token of an issuer of the client's record, or add the issuer to it.
package countersign.rules.identity.client_issuer_unexpected

import data.countersign.lib.route
import data.countersign.lib.say

verdict := "clear" if {
	input.subject.registered == false
} else := "clear" if {
	route.public
} else := say.deny_when(input.subject.client.issuer in {"unexpected", "unknown"}) if {
	input.subject.client.issuer in {"any", "expected", "unexpected", "unknown"}
}
