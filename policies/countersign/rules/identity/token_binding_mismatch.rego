# METADATA
# title: The proof that the access token belongs to its sender is missing or wrong
# description: a token that is bound to a key (DPoP) or a client certificate (mTLS), sent without it, with another one, or by the wrong scheme; signals.binding says which
# custom:
#   exceptions: false
#   public: true
#   remedy: Send the proof or the client certificate that the token is bound to, by the scheme that goes with it.
package countersign.rules.identity.token_binding_mismatch

import data.countersign.lib.route

verdict := "clear" if {
	input.evidence.binding in {"none", "matched", "unchecked"}
} else := {"effect": "deny", "status": 401} if {
	input.evidence.binding == "mismatched"
	not route.public
} else := "clear" if {
	route.public
}
