public import Core
import FoundationEssentials
import Testing

/// What every ``DocumentIndex`` must do, whichever backend holds it.
public enum DocumentIndexContract {
  /// All claims, each for a fresh index.
  public static let claims: [ContractClaim<any DocumentIndex>] = writing + moving + spaces + searching + reading

  static let pump = "The pump moves water from the lower basin to the upper one."
  static let turbine = "The turbine turns falling water into electric power."
  static let invoice = "An invoice is payable within thirty days of receipt."

  /// Asks all legs with the words of `text`.
  static func search(
    _ index: any DocumentIndex, _ text: String, filter: SearchFilter = .init(), depth: Int = 10,
    embedder: FakeEmbedder = FakeEmbedder(), trigram: Bool = false
  ) async throws -> Candidates {
    try await index.candidates(
      for: CandidateRequest(
        embedding: embedder.embedding(of: text), identity: embedder.identity, lexicalText: text,
        trigramText: trigram ? text : nil, filter: filter, depth: depth))
  }

  /// Whether any leg finds `document` with `text`.
  static func finds(
    _ document: Document, by text: String, in index: any DocumentIndex, embedder: FakeEmbedder = FakeEmbedder()
  ) async throws -> Bool {
    let candidates = try await search(index, text, embedder: embedder, trigram: true)
    return candidates.legs.values.joined().contains { $0.document == document.id }
  }

  static let writing: [ContractClaim<any DocumentIndex>] = [
    ContractClaim("isEmpty_whenNew") { index in
      #expect(try await index.activeIdentity() == nil)
      #expect(try await index.collections().isEmpty)
      let found = try await search(index, pump, trigram: true)
      #expect(found.legs == [.dense: [], .lexical: [], .trigram: []])
      #expect(try await index.source(at: Sample.document().uri, collection: .default) == nil)
      #expect(try await index.catalogue(collections: nil, state: nil, limit: 10, after: nil).entries.isEmpty)
    },
    ContractClaim("findsDocument_whenCommitReturned") { index in
      let document = Sample.document()
      let before = try await index.version()
      let after = try await index.commit(Sample.indexed(document, texts: [pump, turbine]))
      #expect(after > before)
      #expect(try await index.version() == after)
      #expect(try await index.activeIdentity() == FakeEmbedder().identity)
      let found = try await search(index, turbine)
      #expect(found.version == after)
      #expect(found.legs[.dense]?.first?.document == document.id)
      #expect(found.legs[.lexical]?.first?.chunk == found.legs[.dense]?.first?.chunk)
    },
    ContractClaim("forgetsEarlierVersion_whenNextOneIsCommitted") { index in
      let old = Sample.document(content: "one")
      let new = Sample.document(content: "two")
      try await index.commit(Sample.indexed(old, texts: [pump, turbine]))
      try await index.commit(Sample.indexed(new, texts: [invoice], stamp: "stamp-2"))
      #expect(try await search(index, "pump turbine").legs[.lexical] == [])
      #expect(try await search(index, pump).legs[.dense]?.count == 1)
      #expect(try await index.page(2, of: new.id) == nil)
      let source = try await index.source(at: new.uri, collection: .default)
      #expect(source?.document.version == new.version && source?.stamp == "stamp-2")
      #expect(try await index.totals(pipeline: Sample.current, identity: Sample.identity).documents == 1)
    },
    ContractClaim("removesEveryTrace_whenDeleted") { index in
      let document = Sample.document()
      let other = Sample.document("other.pdf")
      let indexed = Sample.indexed(document, texts: [pump, turbine])
      try await index.commit(indexed)
      try await index.commit(Sample.indexed(other, texts: [invoice]))
      let removed = try await index.delete(document.id, tombstone: false, now: Sample.date)
      #expect(Set(removed) == Set(indexed.chunks.map(\.chunk.id)))
      #expect(try await !finds(document, by: pump, in: index))
      #expect(try await finds(other, by: invoice, in: index))
      #expect(try await index.chunks(removed).isEmpty)
      #expect(try await index.entry(document.id) == nil)
      #expect(try await index.page(1, of: document.id) == nil)
      #expect(try await index.coverage(of: document.id).isEmpty)
      #expect(try await index.source(at: document.uri, collection: .default) == nil)
      #expect(try await index.extraction(of: document.version, pipeline: Sample.pipeline) == nil)
      #expect(try await index.delete(document.id, tombstone: false, now: Sample.date).isEmpty)
    },
    ContractClaim("isEmptyAgain_whenLastDocumentIsDeleted_andTakesAnotherIdentity") { index in
      let document = Sample.document()
      try await index.commit(Sample.indexed(document))
      try await index.delete(document.id, tombstone: false, now: Sample.date)
      #expect(try await index.activeIdentity() == nil)
      let other = FakeEmbedder(model: "other", dimension: 32)
      try await index.commit(Sample.indexed(document, texts: [pump], embedder: other))
      #expect(try await index.activeIdentity() == other.identity)
      #expect(try await finds(document, by: pump, in: index, embedder: other))
    },
    ContractClaim("remembersTombstone_untilCommittedAgain") { index in
      let document = Sample.document()
      try await index.commit(Sample.indexed(document, stamp: "s"))
      try await index.delete(document.id, tombstone: true, now: Sample.date)
      let source = try await index.source(at: document.uri, collection: .default)
      #expect(source?.isTombstone == true && source?.stamp == "s" && source?.document == document)
      #expect(source?.identity == Sample.identity && source?.pipeline == Sample.pipeline)
      #expect(try await index.sources(under: SourceURI(filePath: "/library"), collection: .default).count == 1)
      #expect(try await index.totals(pipeline: Sample.current, identity: Sample.identity).documents == 0)
      try await index.updateStamp(document.id, stamp: "touched")
      #expect(try await index.source(at: document.uri, collection: .default)?.stamp == "touched")
      let next = Sample.document(generation: 1)
      try await index.commit(Sample.indexed(next))
      #expect(try await index.source(at: document.uri, collection: .default)?.document == next)
      #expect(try await index.source(at: document.uri, collection: .default)?.isTombstone == false)
    },
    ContractClaim("refusesSecondDocument_atALiveURI") { index in
      try await index.commit(Sample.indexed(Sample.document()))
      let thief = Sample.document(generation: 7)
      let thrown = await codeThrown { try await index.commit(Sample.indexed(thief)) }
      #expect(thrown?.code == "index.uri_taken" && thrown?.category == .conflict)
      #expect(try await index.entry(thief.id) == nil)
    },
    ContractClaim("keepsDocumentWithoutChunks_inTheCatalogue") { index in
      let document = Sample.document("scan.pdf")
      var indexed = Sample.indexed(document, texts: [], state: .unreadable)
      indexed.pageCount = 2
      indexed.pages = [1, 2].map { Sample.page($0, text: "", coverage: .imageOnly, reason: "a scan") }
      indexed.reason = "no page has text"
      try await index.commit(indexed)
      let entry = try await index.entry(document.id)
      #expect(entry?.state == .unreadable && entry?.reason == "no page has text" && entry?.chunkCount == 0)
      #expect(entry?.coverage == [.imageOnly: 2])
      #expect(try await index.unreadablePages(of: [document.id]) == [document.id: 2])
    },
  ]

  static let moving: [ContractClaim<any DocumentIndex>] = [
    ContractClaim("keepsIdentity_whenMoved") { index in
      let document = Sample.document()
      try await index.commit(Sample.indexed(document))
      let uri = SourceURI(filePath: "/library/sub/renamed – neu.pdf")
      try await index.move(document.id, to: uri, stamp: "moved")
      #expect(try await index.source(at: document.uri, collection: .default) == nil)
      let source = try await index.source(at: uri, collection: .default)
      #expect(source?.document.id == document.id && source?.stamp == "moved")
      let chunk = try await search(index, pump).legs[.dense]?.first?.chunk
      let stored = try await index.chunks([#require(chunk)])
      #expect(stored.values.first?.document.name == "renamed – neu.pdf")
      #expect(try await index.entry(document.id)?.document.uri == uri)
    },
    ContractClaim("startsNextGeneration_whereADocumentBegan") { index in
      let document = Sample.document()
      #expect(try await index.nextGeneration(at: document.uri, collection: .default) == 0)
      try await index.commit(Sample.indexed(document))
      #expect(try await index.nextGeneration(at: document.uri, collection: .default) == 1)
      try await index.move(document.id, to: SourceURI(filePath: "/library/away.pdf"), stamp: "s")
      #expect(try await index.nextGeneration(at: document.uri, collection: .default) == 1)
      #expect(
        try await index.nextGeneration(at: SourceURI(filePath: "/library/away.pdf"), collection: .default) == 0)
      let second = Sample.document(generation: 1)
      try await index.commit(Sample.indexed(second))
      try await index.delete(second.id, tombstone: false, now: Sample.date)
      #expect(try await index.nextGeneration(at: document.uri, collection: .default) == 2)
      let law = CollectionName(rawValue: "law")
      #expect(try await index.nextGeneration(at: document.uri, collection: law) == 0)
    },
    ContractClaim("refusesToMove_ontoALiveDocument_orAMissingOne") { index in
      let document = Sample.document("a.pdf")
      let other = Sample.document("b.pdf")
      try await index.commit(Sample.indexed(document))
      try await index.commit(Sample.indexed(other))
      let taken = await codeThrown { try await index.move(document.id, to: other.uri, stamp: "s") }
      #expect(taken?.code == "index.uri_taken")
      let missing = await codeThrown {
        try await index.move(DocumentID(rawValue: "none"), to: other.uri, stamp: "s")
      }
      #expect(missing?.code == "index.document_missing" && missing?.category == .notFound)
    },
    ContractClaim("listsSources_underAFolderOnly") { index in
      for name in ["a.pdf", "sub/b.pdf", "sub/deep/c.pdf", "sub-other.pdf", "sub0.pdf"] {
        try await index.commit(Sample.indexed(Sample.document(name)))
      }
      try await index.commit(Sample.indexed(Sample.document("sub/d.pdf", collection: CollectionName(rawValue: "x"))))
      func names(_ root: String) async throws -> [String] {
        try await index.sources(under: SourceURI(filePath: root), collection: .default).map(\.document.name)
      }
      #expect(try await Set(names("/library/sub")) == ["b.pdf", "c.pdf"])
      #expect(try await Set(names("/library/sub/")) == ["b.pdf", "c.pdf"])
      #expect(try await names("/library/a.pdf") == ["a.pdf"])
      #expect(try await names("/library").count == 5)
    },
    ContractClaim("notesStamp_withoutTouchingTheDocument") { index in
      let document = Sample.document()
      try await index.commit(Sample.indexed(document))
      try await index.updateStamp(document.id, stamp: "touched")
      let source = try await index.source(at: document.uri, collection: .default)
      #expect(source?.stamp == "touched" && source?.document == document)
      #expect(try await finds(document, by: pump, in: index))
    },
  ]
}
