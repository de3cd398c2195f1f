# METADATA
# title: The API key could not be verified
# description: the registry could not be read, or the address has used up its failures; retried
# custom:
#   public: true
#   remedy: Try again later; operators see in /status why the registry cannot be read.
package countersign.rules.identity.api_key_unavailable

import data.countersign.lib.route

verdict := "clear" if {
	input.signals.api_key.status == "absent"
} else := "clear" if {
	input.signals.api_key.status in {"present", "invalid"}
} else := "clear" if {
	route.public
} else := {
	"effect": "deny", "status": 503, "retry_after_seconds": data.countersign.limits.signals.retry_after_seconds,
	"api_key": input.signals.api_key.code,
} if {
	input.signals.api_key.status == "unavailable"
}
