# METADATA
# description: the codes of an invalid client certificate, by the rule that speaks for them
package countersign.lib.certificate

# it was read, and nobody whom we trust vouches for it
untrusted := {
	"certificate_untrusted",
	"certificate_trust_domain",
	"certificate_purpose",
	"certificate_chain_expired",
	"certificate_unverifiable",
}

revoked := {"certificate_revoked", "certificate_denied", "client_revoked"}
