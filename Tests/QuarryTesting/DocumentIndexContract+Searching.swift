import Core
import FoundationEssentials
import Testing

extension DocumentIndexContract {
  static let spaces: [ContractClaim<any DocumentIndex>] = [
    ContractClaim("refusesQuery_ofAnotherIdentity_namingTheRemedy") { index in
      try await index.commit(Sample.indexed())
      let other = FakeEmbedder(model: "other")
      let thrown = await codeThrown { _ = try await search(index, pump, embedder: other) }
      #expect(thrown?.code == "index.identity_mismatch" && thrown?.category == .conflict)
      #expect(thrown?.remedy?.contains("quarry ingest --rebuild") == true)
    },
    ContractClaim("answersFromOldSpace_untilSwitched_thenFromNewOnly") { index in
      let document = Sample.document()
      let other = FakeEmbedder(model: "other", dimension: 32)
      let pipeline = PipelineVersion(rawValue: "poppler-2/hygiene-1/chunks-9")
      let old = Sample.indexed(document, texts: [pump, turbine])
      let new = Sample.indexed(document, texts: [pump + " Anew.", turbine], embedder: other, pipeline: pipeline)
      try await index.commit(old)
      try await index.commit(new)
      #expect(try await index.activeIdentity() == Sample.identity)
      let before = try await search(index, pump)
      #expect(Set(before.legs[.dense]?.map(\.chunk) ?? []) == Set(old.chunks.map(\.chunk.id)))
      #expect(try await search(index, "anew").legs[.lexical] == [])
      #expect(try await index.page(1, of: document.id)?.text == pump)
      #expect(try await index.chunks(old.chunks.map(\.chunk.id)).count == 2)
      #expect(try await index.source(at: document.uri, collection: .default)?.identity == other.identity)
      #expect(try await index.totals(pipeline: CurrentPipeline(base: pipeline), identity: other.identity).stale == 0)

      try await index.activate(other.identity)
      #expect(try await index.activeIdentity() == other.identity)
      let after = try await search(index, "anew pump", embedder: other)
      #expect(Set(after.legs[.dense]?.map(\.chunk) ?? []) == Set(new.chunks.map(\.chunk.id)))
      #expect(after.legs[.lexical]?.first?.chunk == new.chunks.first?.chunk.id)
      #expect(try await index.page(1, of: document.id)?.text == pump + " Anew.")
      #expect(try await index.chunks(old.chunks.map(\.chunk.id)).isEmpty)
      let thrown = await codeThrown { _ = try await search(index, pump) }
      #expect(thrown?.code == "index.identity_mismatch")
      #expect(try await index.totals(pipeline: Sample.current, identity: Sample.identity).stale == 1)
    },
    ContractClaim("keepsAnswering_whenPipelineAndIdentityAreTheSameChunksInBothSpaces") { index in
      // Another identity, same pipeline: chunk ids and pages are equal in both spaces and must not clash.
      let document = Sample.document()
      let other = FakeEmbedder(model: "other")
      let indexed = Sample.indexed(document, texts: [pump, turbine])
      try await index.commit(indexed)
      try await index.commit(Sample.indexed(document, texts: [pump, turbine], embedder: other))
      #expect(try await search(index, pump).legs[.lexical]?.count == 2)
      try await index.activate(other.identity)
      #expect(try await search(index, pump, embedder: other).legs[.dense]?.count == 2)
      #expect(try await index.page(2, of: document.id) == indexed.pages[1])
      #expect(try await index.chunks(indexed.chunks.map(\.chunk.id)).count == 2)
    },
    ContractClaim("refusesToSwitch_whileADocumentIsMissingOrOlder") { index in
      let other = FakeEmbedder(model: "other")
      try await index.commit(Sample.indexed(Sample.document("a.pdf")))
      try await index.commit(Sample.indexed(Sample.document("b.pdf")))
      try await index.commit(Sample.indexed(Sample.document("a.pdf"), embedder: other))
      let missing = await codeThrown { try await index.activate(other.identity) }
      #expect(missing?.code == "index.rebuild_incomplete" && missing?.category == .conflict)
      try await index.commit(Sample.indexed(Sample.document("b.pdf"), embedder: other))
      try await index.commit(Sample.indexed(Sample.document("a.pdf", content: "newer")))
      let older = await codeThrown { try await index.activate(other.identity) }
      #expect(older?.code == "index.rebuild_incomplete")
      #expect(try await index.activeIdentity() == Sample.identity)
    },
    ContractClaim("removesDocument_fromBothSpaces") { index in
      let document = Sample.document()
      let other = FakeEmbedder(model: "other")
      try await index.commit(Sample.indexed(document))
      try await index.commit(Sample.indexed(document, embedder: other))
      let removed = try await index.delete(document.id, tombstone: false, now: Sample.date)
      #expect(removed.count == 1)
      #expect(try await index.activeIdentity() == nil)
      #expect(try await index.entry(document.id) == nil)
    },
  ]

  static let searching: [ContractClaim<any DocumentIndex>] = [
    ContractClaim("ranksByCosine_andGivesItForEveryCandidate") { index in
      let embedder = FakeEmbedder()
      let indexed = Sample.indexed(texts: [pump, turbine, invoice, "water water everywhere"])
      try await index.commit(indexed)
      let question = embedder.embedding(of: "which water")
      let found = try await search(index, "which water")
      let expected = Dictionary(
        uniqueKeysWithValues: indexed.chunks.map { ($0.chunk.id, $0.embedding.cosine(to: question)) })
      #expect(found.legs[.dense]?.map(\.chunk) == expected.sorted { $0.value > $1.value }.map(\.key))
      for candidate in found.legs.values.joined() {
        let cosine = try #require(expected[candidate.chunk])
        #expect(abs(found.similarities[candidate.chunk, default: 9] - cosine) < 1e-3)
      }
    },
    ContractClaim("givesCosine_ofChunksThatOnlyWordsFound") { index in
      let texts = (0..<20).map { "water water number\($0)" } + ["rareword among many other words of no use at all"]
      let indexed = Sample.indexed(texts: texts)
      try await index.commit(indexed)
      let found = try await index.candidates(
        for: CandidateRequest(
          embedding: FakeEmbedder().embedding(of: "water"), identity: Sample.identity, lexicalText: "rareword",
          trigramText: nil, filter: .init(), depth: 5))
      let rare = try #require(indexed.chunks.last)
      #expect(found.legs[.lexical]?.map(\.chunk) == [rare.chunk.id])
      #expect(found.legs[.dense]?.contains { $0.chunk == rare.chunk.id } == false)
      let cosine = rare.embedding.cosine(to: FakeEmbedder().embedding(of: "water"))
      #expect(abs(found.similarities[rare.chunk.id, default: 9] - cosine) < 1e-3)
    },
    ContractClaim("asksOnlyTheLegsRequested") { index in
      try await index.commit(Sample.indexed(texts: [pump]))
      let lexical = try await index.candidates(
        for: CandidateRequest(
          embedding: nil, identity: nil, lexicalText: "pump", trigramText: nil, filter: .init(), depth: 5))
      #expect(Array(lexical.legs.keys) == [.lexical])
      #expect(lexical.similarities.isEmpty)
      let none = try await index.candidates(
        for: CandidateRequest(
          embedding: nil, identity: nil, lexicalText: nil, trigramText: nil, filter: .init(), depth: 5))
      #expect(none.legs.isEmpty)
    },
    ContractClaim("keepsToDepth") { index in
      try await index.commit(Sample.indexed(texts: (0..<12).map { "water basin \($0)" }))
      let found = try await search(index, "water", depth: 4)
      #expect(found.legs[.dense]?.count == 4)
      #expect(found.legs[.lexical]?.count == 4)
    },
    ContractClaim("filtersBeforeRanking") { index in
      // Twenty nearer documents stand before the one that passes: a filter after ranking would return nothing.
      for number in 0..<20 {
        try await index.commit(Sample.indexed(Sample.document("near\(number).pdf"), texts: ["water pump"]))
      }
      let law = CollectionName(rawValue: "law")
      let far = Sample.document("far.pdf", collection: law)
      try await index.commit(
        Sample.indexed(
          far, texts: ["a pump, and much else that has nothing to do with it"],
          attributes: ["year": "2024", "kind": "manual"]))
      let filters = [
        SearchFilter(collections: [law]), SearchFilter(documents: [far.id]),
        SearchFilter(attributes: ["year": "2024"]),
        SearchFilter(collections: [law], documents: [far.id], attributes: ["year": "2024", "kind": "manual"]),
      ]
      for filter in filters {
        let found = try await search(index, "water pump", filter: filter, depth: 3)
        #expect(found.legs[.dense]?.map(\.document) == [far.id], "\(filter)")
        #expect(found.legs[.lexical]?.map(\.document) == [far.id], "\(filter)")
      }
      let nothing = [
        SearchFilter(collections: []), SearchFilter(documents: []),
        SearchFilter(attributes: ["year": "2024", "kind": "letter"]), SearchFilter(attributes: ["absent": ""]),
        SearchFilter(collections: [.default], documents: [far.id]),
      ]
      for filter in nothing {
        let found = try await search(index, "water pump", filter: filter)
        #expect(found.legs[.dense] == [] && found.legs[.lexical] == [], "\(filter)")
      }
    },
    ContractClaim("survivesWordsThatQueryLanguagesUnderstand") { index in
      try await index.commit(Sample.indexed(texts: [pump]))
      let hostile = [
        "\"", "\"\"", "*", "pump*", "pump AND", "NEAR(pump water)", "NOT pump", "col:pump", "^pump", "(pump",
        "pump \"water", "'; DROP TABLE chunks; --", "pump\u{0}water", "🚰 pump", "-", "{pump}", "pump + water", "",
        " \n\t ", "\u{200B}", "a\\b", String(repeating: "pump ", count: 3_000),
      ]
      for text in hostile {
        let found = try await search(index, text, trigram: true)
        if text.contains("pump") { #expect(found.legs[.lexical]?.count == 1, "\(text.prefix(40))") }
      }
    },
    ContractClaim("readsScriptsWithoutSpaces_byTrigrams") { index in
      let water = Sample.document("water.pdf")
      let tax = Sample.document("tax.pdf")
      try await index.commit(Sample.indexed(water, texts: ["水泵将下水库的水送到上水库。"]))
      try await index.commit(Sample.indexed(tax, texts: ["所得税申报表应在三月底之前提交。"]))
      try await index.commit(Sample.indexed(Sample.document("thai.pdf"), texts: ["เครื่องสูบน้ำส่งน้ำไปยังอ่างเก็บน้ำ"]))
      let found = try await search(index, "下水库的水去哪里？", trigram: true)
      #expect(found.legs[.trigram]?.first?.document == water.id)
      #expect(found.legs[.trigram]?.contains { $0.document == tax.id } == false)
      #expect(try await search(index, "申报表", trigram: true).legs[.trigram]?.map(\.document) == [tax.id])
    },
  ]
}
