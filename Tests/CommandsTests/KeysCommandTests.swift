import Commands
import Foundation
import Testing

/// Keys need no model and no documents.
@Suite struct KeysCommandTests {
  let workspace: Workspace

  init() throws { workspace = try Workspace() }

  @Test func aKeyIsPrintedOnce_andListedWithoutItsSecret() async throws {
    let made = await workspace.run("keys", "create", "--label", "intranet", "--collection", "law")
    #expect(made.exitCode == 0, "\(made.error)")
    let secret = made.output.trimmingCharacters(in: .newlines)
    #expect(secret.count > 20)
    #expect(made.error.contains("cannot be shown again"))
    let list = await workspace.run("keys", "list")
    #expect(list.output.contains("intranet"))
    #expect(list.output.contains("law"))
    #expect(!list.output.contains(secret))
    let files = try FileManager.default.subpathsOfDirectory(atPath: workspace.folder.path)
    for name in files {
      let bytes = try? Data(contentsOf: workspace.folder.appendingPathComponent(name))
      #expect(bytes?.range(of: Data(secret.utf8)) == nil, "\(name)")
    }
  }

  @Test func aRevokedKeyIsMarked_andCannotBeRevokedAgain() async throws {
    let made = try await workspace.run("keys", "create", "--json").object()
    let id = try #require(made["id"] as? String)
    #expect(made["key"] is String)
    #expect(await workspace.run("keys", "revoke", id).output == "revoked \(id)\n")
    #expect(await workspace.run("keys", "list").output.contains("revoked"))
    let again = await workspace.run("keys", "revoke", id)
    #expect(again.exitCode == ExitCode.notFound)
    #expect(again.error.contains("quarry keys list"))
  }

  @Test func aReadOnlyKeyIsMarked_andOthersMayWrite() async throws {
    let reading = try await workspace.run("keys", "create", "--read-only", "--json").object()
    #expect(reading["permission"] as? String == "read")
    let writing = try await workspace.run("keys", "create", "--json").object()
    #expect(writing["permission"] as? String == "write")
    let list = await workspace.run("keys", "list").output
    let id = try #require(reading["id"] as? String)
    #expect(list.split(separator: "\n").contains { $0.hasPrefix(id) && $0.contains("  read  ") })
  }

  @Test func revokingSaysWhatWasRevoked_asJSON() async throws {
    let made = try await workspace.run("keys", "create", "--json").object()
    let id = try #require(made["id"] as? String)
    let revoked = try await workspace.run("keys", "revoke", id, "--json").object()
    #expect(revoked["id"] as? String == id)
    #expect(revoked["revoked"] is String)
    #expect(revoked["key"] == nil)
  }

  @Test func anUnknownKeyIsNamed() async throws {
    let run = await workspace.run("keys", "revoke", "nothing")
    #expect(run.exitCode == ExitCode.notFound)
    #expect(run.error.contains("'nothing'"))
    #expect(run.error.contains("keys.unknown"))
  }

  @Test func quietCreatePrintsTheKeyAlone() async throws {
    let run = await workspace.run("keys", "create", "--quiet")
    #expect(run.error == "")
    #expect(run.output.split(separator: "\n").count == 1)
  }

  @Test func quietListOfNothingIsNothing() async throws {
    #expect(await workspace.run("keys", "list", "-q").output == "")
    #expect(await workspace.run("keys", "list").output == "No keys.\n")
    let empty = await workspace.run("keys", "list", "--json")
    #expect(try JSONDecoder().decode([String].self, from: Data(empty.output.utf8)) == [])
  }
}
