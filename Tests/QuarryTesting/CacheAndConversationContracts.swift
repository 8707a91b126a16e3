public import Core
import FoundationEssentials
import Testing

/// What every ``EmbeddingCache`` must do.
public enum EmbeddingCacheContract {
  /// The claims, each for a fresh cache.
  public static let claims: [ContractClaim<any EmbeddingCache>] = [
    ContractClaim("returnsExactlyWhatWasStored") { cache in
      let stored = Embedding(unit: [0.1, -0.7, .leastNonzeroMagnitude, 1e-7], norm: 12.5)
      let identity = FakeEmbedder.identity(dimension: 4)
      let hash = TextHash(rawValue: Sample.hex("text", digits: 64))
      try await cache.store([hash: stored], identity: identity)
      let found = try await cache.embeddings(
        for: [hash, TextHash(rawValue: Sample.hex("unknown", digits: 64))], identity: identity)
      #expect(found == [hash: stored])
    },
    ContractClaim("keepsIdentitiesApart") { cache in
      let hash = TextHash(rawValue: Sample.hex("text", digits: 64))
      try await cache.store([hash: Embedding(unit: [1, 0])], identity: FakeEmbedder.identity(dimension: 2))
      let other = FakeEmbedder.identity(model: "other", dimension: 2)
      #expect(try await cache.embeddings(for: [hash], identity: other).isEmpty)
    },
    ContractClaim("takesManyAtOnce_andNone") { cache in
      let identity = FakeEmbedder.identity(dimension: 2)
      let hashes = (0..<2_500).map { TextHash(rawValue: Sample.hex("\($0)", digits: 64)) }
      try await cache.store([:], identity: identity)
      try await cache.store(
        Dictionary(uniqueKeysWithValues: hashes.map { ($0, Embedding(unit: [0, 1])) }), identity: identity)
      #expect(try await cache.embeddings(for: hashes, identity: identity).count == 2_500)
      #expect(try await cache.embeddings(for: [], identity: identity).isEmpty)
    },
    ContractClaim("replacesEarlierValue") { cache in
      let identity = FakeEmbedder.identity(dimension: 2)
      let hash = TextHash(rawValue: Sample.hex("text", digits: 64))
      try await cache.store([hash: Embedding(unit: [1, 0])], identity: identity)
      try await cache.store([hash: Embedding(unit: [0, 1])], identity: identity)
      #expect(try await cache.embeddings(for: [hash], identity: identity)[hash]?.vector == [0, 1])
    },
  ]
}

/// What every ``ConversationStore`` must do.
public enum ConversationStoreContract {
  private static let id = ConversationID(rawValue: "c-1")

  /// The claims, each for a fresh store.
  public static let claims: [ContractClaim<any ConversationStore>] = [
    ContractClaim("returnsNothing_whenConversationIsNew") { store in
      let turns = try await store.turns(of: id, caller: "local", limit: 10)
      #expect(turns.isEmpty)
    },
    ContractClaim("returnsNewestTurns_oldestFirst") { store in
      for number in 1...3 {
        try await store.append(
          [Turn(role: .user, text: "question \(number)"), Turn(role: .assistant, text: "answer \(number) — ß")],
          to: id, caller: "local", now: Sample.date + Double(number))
      }
      let turns = try await store.turns(of: id, caller: "local", limit: 3)
      #expect(turns.map(\.text) == ["answer 2 — ß", "question 3", "answer 3 — ß"])
      #expect(turns.map(\.role) == [.assistant, .user, .assistant])
      #expect(try await store.turns(of: id, caller: "local", limit: 100).count == 6)
    },
    ContractClaim("hidesConversation_fromAnotherCaller") { store in
      try await store.append([Turn(role: .user, text: "mine")], to: id, caller: "a", now: Sample.date)
      try await store.append([Turn(role: .user, text: "theirs")], to: id, caller: "b", now: Sample.date)
      #expect(try await store.turns(of: id, caller: "a", limit: 10).map(\.text) == ["mine"])
      #expect(try await store.turns(of: id, caller: "b", limit: 10).map(\.text) == ["theirs"])
    },
  ]
}
