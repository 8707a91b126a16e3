import Core
import FoundationEssentials
import HTTPAPI
import QuarryTesting
import Testing

@Suite struct AuthenticationTests {
  private static let board = CollectionName(rawValue: "board")

  @Test func needsNoKey_onLoopbackWhileNoneWasMade() async throws {
    try await withAPI { api in
      let reply = try await api.send("GET", "/v1/documents")
      #expect(reply.status == 200)
    }
  }

  @Test func needsAKey_onceOneWasMade() async throws {
    try await withAPI { api in
      let made = try await api.makeKey()
      let without = try await api.send("GET", "/v1/documents")
      #expect(without.status == 401)
      #expect(without.code == "auth.missing")
      #expect(without.headers["www-authenticate"] == "Bearer")
      let with = try await api.send("GET", "/v1/documents", headers: [made.header])
      #expect(with.status == 200)
    }
  }

  @Test func needsAKey_beyondLoopback() async throws {
    try await withAPI(settings: .init(version: "1", isLoopback: false)) { api in
      let without = try await api.send("GET", "/v1/documents")
      #expect(without.code == "auth.missing")
      let made = try await api.makeKey()
      let with = try await api.send("GET", "/v1/documents", headers: [made.header, ("Host", "quarry.example")])
      #expect(with.status == 200)
    }
  }

  @Test func needsNoKey_whenToldToBeInsecure() async throws {
    try await withAPI(settings: .init(version: "1", isLoopback: false, isInsecure: true)) { api in
      let reply = try await api.send("GET", "/v1/documents", headers: [("Host", "quarry.example")])
      #expect(reply.status == 200)
    }
  }

  @Test func staysClosed_whenTheLastKeyIsRevoked() async throws {
    try await withAPI { api in
      let made = try await api.makeKey()
      _ = try await api.keys.revoke(made.key.id, now: Sample.date)
      let revoked = try await api.send("GET", "/v1/documents", headers: [made.header])
      #expect(revoked.status == 401)
      #expect(revoked.code == "auth.revoked")
      let without = try await api.send("GET", "/v1/documents")
      #expect(without.code == "auth.missing")
    }
  }

  @Test func refusesWrongKeys() async throws {
    try await withAPI { api in
      let made = try await api.makeKey()
      let secret = made.header.1
      let last = secret.last == "0" ? "1" : "0"
      let wrong = [
        (String(secret.dropLast()) + last, "auth.unknown_key"), (String(secret.dropLast()), "auth.unknown_key"),
        ("Bearer qk_000000000000_" + secret.suffix(64), "auth.unknown_key"), ("Bearer x", "auth.unknown_key"),
        ("Bearer", "auth.malformed"), ("Basic YTpi", "auth.malformed"), ("", "auth.malformed"),
      ]
      for (header, code) in wrong {
        let reply = try await api.send("GET", "/v1/documents", headers: [("Authorization", header)])
        #expect(reply.status == 401)
        #expect(reply.code == code)
      }
      let twice = try await api.send("GET", "/v1/documents", headers: [made.header, made.header])
      #expect(twice.code == "auth.malformed")
    }
  }

  @Test func servesProbesAndItsDescription_withoutAKey() async throws {
    try await withAPI { api in
      _ = try await api.makeKey()
      for target in ["/health/live", "/health/ready", "/openapi.json"] {
        let reply = try await api.send("GET", target)
        #expect(reply.status == 200)
      }
    }
  }

  @Test func showsOnlyTheKeysCollections() async throws {
    try await withAPI { api in
      let made = try await api.makeKey(collections: [.default])
      let secret = Library.secret.document.id
      let own = Library.pump.document.id
      let listed = try await api.send("GET", "/v1/documents", headers: [made.header])
      let names = listed.json["documents"]?.elements.compactMap { $0["name"]?.text }.sorted()
      #expect(names == ["pump.pdf", "valve.pdf"])
      for target in ["", "/pages/1", "/pages/1.png"] {
        let hidden = try await api.send("GET", "/v1/documents/\(secret)\(target)", headers: [made.header])
        #expect(hidden.status == 404)
        #expect(hidden.code == "document.not_found")
        let shown = try await api.send("GET", "/v1/documents/\(own)\(target)", headers: [made.header])
        #expect(shown.status == 200)
      }
      let deleted = try await api.send("DELETE", "/v1/documents/\(secret)", headers: [made.header])
      #expect(deleted.status == 404)
      let kept = try await api.index.entry(secret)
      #expect(kept != nil)
      let forbidden = try await api.send("GET", "/v1/documents?collection=board", headers: [made.header])
      #expect(forbidden.status == 403)
    }
  }

  @Test func answersOnlyFromTheKeysCollections() async throws {
    try await withAPI { api in
      let made = try await api.makeKey(collections: [.default])
      let question = "\"question\": \"When does the board meet in the north tower?\""
      let found = try await api.post("/v1/search", "{\(question)}", headers: [made.header])
      let names = Set(found.json["passages"]?.elements.compactMap { $0["document"]?["name"]?.text } ?? [])
      #expect(!names.isEmpty)
      #expect(!names.contains("secret.pdf"))
      let asked = try await api.post("/v1/query", "{\(question), \"collection\": \"board\"}", headers: [made.header])
      #expect(asked.status == 403)
      #expect(asked.code == "collection.forbidden")
      let byID = try await api.post(
        "/v1/search", "{\(question), \"filters\": {\"documents\": [\"\(Library.secret.document.id)\"]}}",
        headers: [made.header])
      #expect(byID.json["passages"]?.elements.isEmpty == true)
    }
  }

  @Test func turnsForeignHostsAway_whileNoKeyProtects() async throws {
    try await withAPI { api in
      for host in ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "[2001:db8::1]:80", "192.168.1.2"] {
        let reply = try await api.send("GET", "/v1/documents", headers: [("Host", host)])
        #expect(reply.status == 403)
        #expect(reply.code == "request.foreign_host")
      }
      for host in ["localhost", "LOCALHOST:8080", "127.0.0.1:8080", "[::1]:8080"] {
        let reply = try await api.send("GET", "/v1/documents", headers: [("Host", host)])
        #expect(reply.status == 200)
      }
    }
  }

  @Test func makesKeys_whoseSecretIsNotStored() throws {
    let made = KeySecret.makeKey(label: "ci", collections: [Self.board], now: Sample.date)
    let other = KeySecret.makeKey(label: "ci", collections: nil, now: Sample.date)
    #expect(made.secret.hasPrefix("qk_\(made.key.id)_"))
    #expect(made.secret.utf8.count == 3 + 12 + 1 + 64)
    #expect(made.key.hash.utf8.count == 64)
    #expect(!made.secret.contains(made.key.hash))
    #expect(made.key.allowedCollections == [Self.board])
    #expect(made.secret != other.secret)
    #expect(made.key.id != other.key.id)
  }
}

@Suite struct BindPolicyTests {
  @Test(arguments: ["localhost", "LocalHost", "127.0.0.1", "127.255.0.9", "::1", "[::1]", "::ffff:127.0.0.1"])
  func lets_loopbackBeWithoutKeys(host: String) throws {
    #expect(BindPolicy.isLoopback(host))
    try BindPolicy.check(host: host, keys: [], isInsecure: false)
  }

  @Test(arguments: ["0.0.0.0", "::", "", "192.168.0.1", "127.0.0.1.example.com", "127.0.0.256", "127.1", "example.com"])
  func demandsAKey_beyondLoopback(host: String) throws {
    #expect(!BindPolicy.isLoopback(host))
    let error = #expect(throws: HTTPAPIError.self) {
      try BindPolicy.check(host: host, keys: [], isInsecure: false)
    }
    #expect(error?.code == "server.keys_needed")
    #expect(error?.category == .invalidConfiguration)
    var key = KeySecret.makeKey(label: "", collections: nil, now: Sample.date).key
    try BindPolicy.check(host: host, keys: [key], isInsecure: false)
    try BindPolicy.check(host: host, keys: [], isInsecure: true)
    key.revoked = Sample.date
    #expect(throws: HTTPAPIError.self) { try BindPolicy.check(host: host, keys: [key], isInsecure: false) }
  }
}
