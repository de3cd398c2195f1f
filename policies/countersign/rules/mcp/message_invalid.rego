# METADATA
# title: The message to the MCP server cannot be read
# description: one JSON-RPC request by POST, whole and in strict JSON (MCP 2026-07-28, Streamable HTTP); a batch is none since revision 2025-06-18
# custom:
#   exceptions: false
#   public: true
#   remedy: Send one JSON-RPC request a POST, as application/json, with what its method needs, no longer than the gateway hands on.
package countersign.rules.mcp.message_invalid

import data.countersign.lib.mcp

verdict := "clear" if {
	mcp.off
} else := "clear" if {
	mcp.read
} else := "clear" if {
	mcp.refused
	input.mcp.code in {"header_missing", "header_repeated", "header_invalid", "header_look_alike", "header_mismatch", "version_unsupported"}
} else := {
	"effect": "deny", "status": 405, "code": input.mcp.code,
	"response_headers": {"allow": "POST"},
} if {
	mcp.refused
	input.mcp.code == "not_post"
} else := {"effect": "deny", "status": answer.status, "rpc_code": answer.rpc_code, "code": input.mcp.code} if {
	mcp.refused
	answer := _answers[input.mcp.code]
}

_answers := {
	"body_absent": {"status": 400, "rpc_code": -32600},
	"body_truncated": {"status": 413, "rpc_code": -32600},
	"body_too_large": {"status": 413, "rpc_code": -32600},
	"body_type": {"status": 415, "rpc_code": -32600},
	"body_invalid": {"status": 400, "rpc_code": -32700},
	"batch": {"status": 400, "rpc_code": -32600},
	"message_invalid": {"status": 400, "rpc_code": -32600},
	"message_ambiguous": {"status": 400, "rpc_code": -32600},
	"params_invalid": {"status": 400, "rpc_code": -32602},
	"meta_missing": {"status": 400, "rpc_code": -32602},
}
