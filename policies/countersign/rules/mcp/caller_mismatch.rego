# METADATA
# title: The gateway's question names another caller than the token
# description: COAZ-MCP anchors subject.id to the token's sub and context.agent to its client_id; only a token that was verified here is held against them
# custom:
#   exceptions: false
#   public: true
#   remedy: Ask about the subject and the client of the token that is sent along.
package countersign.rules.mcp.caller_mismatch

import data.countersign.lib.mcp
import data.countersign.lib.say

verdict := "clear" if {
	mcp.off
} else := say.deny_when(input.mcp.caller == "other") if {
	input.mcp.caller in {"same", "other", "unchecked"}
}
