# METADATA
# title: The revision of MCP is not one that is let in
# description: of an earlier revision the headers say nothing that anybody would have to hold to
# custom:
#   exceptions: false
#   public: true
#   remedy: Speak one of the revisions that the answer lists, or add the revision to limits.mcp.
package countersign.rules.mcp.version_unsupported

import data.countersign.lib.mcp

verdict := "clear" if {
	mcp.off
} else := "clear" if {
	mcp.read
} else := {
	"effect": "deny", "status": 400, "rpc_code": -32022,
	"rpc_data": {"supported": mcp.versions, "requested": _requested},
} if {
	mcp.refused
	input.mcp.code == "version_unsupported"
} else := "clear" if {
	mcp.refused
	is_string(input.mcp.code)
}

_requested := input.mcp.version if is_string(input.mcp.version)

_requested := "" if is_null(input.mcp.version)
