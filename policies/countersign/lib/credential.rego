# METADATA
# description: what the token or the API key holds, and the codes of what was revoked
package countersign.lib.credential

# a token's scopes alone count where there is one: they may be a user's, and less than what its client holds by its key
scopes := input.signals.token.value.scopes if input.signals.token.status == "present"

scopes := input.signals.api_key.value.scopes if {
	input.signals.token.status == "absent"
	input.signals.api_key.status == "present"
}

# no scopes to speak of: why is for other rules to say
none if input.signals.token.status in {"invalid", "unavailable"}

none if {
	input.signals.token.status == "absent"
	input.signals.api_key.status in {"absent", "invalid", "unavailable"}
}

revoked := {"token_revoked", "session_revoked", "token_issued_before", "api_key_revoked", "client_revoked"}
