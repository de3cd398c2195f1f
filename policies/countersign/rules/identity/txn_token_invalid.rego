# METADATA
# title: The transaction token is not valid
# description: also where the access token alone would do
# custom:
#   public: true
#   remedy: Get a new transaction token for this transaction; signals.txn_token.code says what was wrong.
package countersign.rules.identity.txn_token_invalid

import data.countersign.lib.route
import data.countersign.lib.status

verdict := {"effect": "deny", "status": 401, "txn_token": input.signals.txn_token.code} if {
	input.signals.txn_token.status == "invalid"
	not route.public
} else := "clear" if {
	status.not_invalid(input.signals.txn_token.status)
} else := "clear" if {
	route.public
}
