public import Core
import FoundationEssentials
import Testing

/// What every ``KeyStore`` must do.
public enum KeyStoreContract {
  /// The claims, each for a fresh store.
  public static let claims: [ContractClaim<any KeyStore>] = [
    ContractClaim("returnsKey_byID_withEveryField") { store in
      let key = APIKey(
        id: "k1", label: "Büro 🗝", hash: Sample.hex("secret", digits: 64),
        allowedCollections: Set(["law", "tax"]).named, permission: .read, created: Sample.date)
      try await store.add(key)
      #expect(try await store.key("k1") == key)
      #expect(try await store.key("k2") == nil)
    },
    ContractClaim("keepsAllCollections_apartFromNone") { store in
      try await store.add(APIKey(id: "all", label: "", hash: "a", created: Sample.date))
      try await store.add(APIKey(id: "none", label: "", hash: "b", allowedCollections: [], created: Sample.date))
      #expect(try await store.key("all")?.allowedCollections == nil)
      #expect(try await store.key("none")?.allowedCollections == [])
    },
    ContractClaim("refusesSecondKey_withTheSameID") { store in
      try await store.add(APIKey(id: "k1", label: "", hash: "a", created: Sample.date))
      let thrown = await codeThrown {
        try await store.add(APIKey(id: "k1", label: "", hash: "b", created: Sample.date))
      }
      #expect(thrown?.code == "keys.duplicate")
      #expect(try await store.keys().map(\.hash) == ["a"])
    },
    ContractClaim("revokesOnce_andKeepsTheKeyListed") { store in
      try await store.add(APIKey(id: "k1", label: "", hash: "a", created: Sample.date))
      #expect(try await store.revoke("k1", now: Sample.date + 60))
      #expect(try await !store.revoke("k1", now: Sample.date + 120))
      #expect(try await !store.revoke("other", now: Sample.date))
      #expect(try await store.keys().map(\.revoked) == [Sample.date + 60])
    },
  ]
}

extension Set<String> {
  var named: Set<CollectionName> { Set<CollectionName>(map(CollectionName.init(rawValue:))) }
}
