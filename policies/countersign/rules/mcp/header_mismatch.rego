# METADATA
# title: The headers of the MCP request do not agree with its body
# description: MCP 2026-07-28, Streamable HTTP, Server Validation; whoever routes by the header and whoever reads the body must see the same
# custom:
#   exceptions: false
#   public: true
#   remedy: Send Mcp-Method, Mcp-Name, the Mcp-Param headers of the tool and MCP-Protocol-Version, each once and as the body has it.
package countersign.rules.mcp.header_mismatch

import data.countersign.lib.mcp

verdict := "clear" if {
	mcp.off
} else := "clear" if {
	mcp.read
} else := "clear" if {
	# which arguments are mirrored would tell that there is such a tool
	mcp.withheld
} else := {"effect": "deny", "status": 400, "rpc_code": -32020, "code": input.mcp.code} if {
	mcp.refused
	input.mcp.code in mcp.header_codes
} else := "clear" if {
	mcp.refused
	is_string(input.mcp.code)
}
