# METADATA
# title: The registry could not be read
# description: nobody can be told from one who is revoked; ours to mend, and retried
# custom:
#   public: true
#   remedy: Try again later; operators see in /status why the registry cannot be read.
package countersign.rules.identity.registry_unavailable

import data.countersign.lib.route

verdict := "clear" if {
	input.signals.token.status == "present"
} else := "clear" if {
	input.signals.token.status in {"absent", "invalid"}
} else := "clear" if {
	route.public
} else := {
	"effect": "deny", "status": 503, "retry_after_seconds": data.countersign.limits.signals.retry_after_seconds,
} if {
	input.signals.token.status == "unavailable"
	input.signals.token.code == "registry_unavailable"
} else := "clear" if {
	input.signals.token.status == "unavailable"
}
