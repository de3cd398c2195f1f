/**
 * The packages that a bundle must have as the project's `policies/` has them, if it has them at all: the entry point that gathers the
 * verdicts, and the words that rules are written with. Digests (`scanRego`) of each one's only file; `npm run policy:build -- --digests`
 * prints them. Plain `opa build` takes the entry point's own rule out of the source (it is in the Wasm only): the second one of the decision.
 */
export const BASE_PACKAGES: Readonly<Record<string, readonly string[]>> = {
  'countersign.decision': [
    '0f114f63c539cfd3c2e007c62e382df0692b26e1c8c5db211983858a673efa1e',
    '9aa6079d2f519590debec78e70ee2ec217cb4c5c3b0e5aeb365a4fa68faa3f47',
  ],
  'countersign.lib.certificate': ['1a4383dac3d9e6098ef916d7227b8f60e6bc3a83be273561ae514ad1ec876213'],
  'countersign.lib.credential': ['ecabfca160f7fe1c20af6f6f507cbcf561f9b069e93cd589dfdae2d91cd6b284'],
  'countersign.lib.is': ['61079d3e21caa08b385ae4bcc4a3d612b735366ae0a2f14dbe8291ffb17945b8'],
  'countersign.lib.mcp': ['7544bddbab2508544e49ea34a19f7021d65c652ca380e93930db6f1bcc356602'],
  'countersign.lib.route': ['ded7bc100a01eaa46d66f539d4f98a3f0852c8e5fa1fbbbe98a8c8c52d335517'],
  'countersign.lib.say': ['716805b6ad2da03516c864bf7252cd0590c8742ab46a313de067e32df3ce6f63'],
  'countersign.lib.status': ['6e25df74d15e0d42dcdb3b3c892818906728b723473df95bb467e1fb4d403558'],
  'countersign.lib.threat': ['d6e8980b3c52d17c5ff98abaef83b03a6a72d28f7b92c1264d562a81f04c206f'],
};
