public import Core
import FoundationEssentials
import Testing

/// What every ``StoreTransfer`` must do.
public enum StoreTransferContract {
  /// The claims, each for a fresh index.
  public static let claims: [ContractClaim<any StoreTransfer>] = [
    ContractClaim("exportsADocument_asItWasCommitted") { index in
      let indexed = DocumentIndexContract.rich()
      try await index.commit(indexed)
      let found = try #require(try await index.exported(indexed.document.id))
      #expect(found.document == indexed.document && found.sourceStamp == indexed.sourceStamp)
      #expect(found.metadata == indexed.metadata && found.outline == indexed.outline && found.damage == indexed.damage)
      #expect(found.identity == indexed.identity && found.pipeline == indexed.pipeline)
      #expect(found.state == indexed.state && found.reason == indexed.reason && found.indexed == indexed.indexed)
      #expect(found.byteCount == indexed.byteCount && found.pageCount == indexed.pageCount)
      #expect(found.pages.count == indexed.pages.count)
      for (page, expected) in zip(found.pages, indexed.pages) { try DocumentIndexContract.expectEqual(page, expected) }
      #expect(found.chunks.map(\.chunk) == indexed.chunks.map(\.chunk))
      #expect(found.chunks.map(\.textHash) == indexed.chunks.map(\.textHash))
      for (one, other) in zip(found.chunks, indexed.chunks) {
        #expect(zip(one.embedding.vector, other.embedding.vector).allSatisfy { abs($0 - $1) < 1e-3 })
      }
      #expect(try await index.exported(DocumentID(rawValue: "none")) == nil)
    },
    ContractClaim("commitsItsOwnExport_asTheSame") { index in
      let indexed = DocumentIndexContract.rich()
      try await index.commit(indexed)
      let before = try await index.entry(indexed.document.id)
      let exported = try #require(try await index.exported(indexed.document.id))
      try await index.delete(indexed.document.id, tombstone: false, now: Sample.date)
      try await index.commit(exported)
      #expect(try await index.entry(indexed.document.id) == before)
    },
    ContractClaim("remembersPlaces_ofDocumentsThatAreGone") { index in
      let document = Sample.document()
      try await index.commit(Sample.indexed(document, stamp: "s"))
      try await index.commit(Sample.indexed(Sample.document("other.pdf")))
      try await index.delete(document.id, tombstone: true, now: Sample.date)
      let place = try #require(try await index.placeHistories().first { $0.uri == document.uri })
      #expect(place.nextGeneration == 1 && place.tombstone?.document == document && place.tombstone?.stamp == "s")
      #expect(place.deleted == Sample.date)
    },
    ContractClaim("takesOverAPlace_butNotOverALiveDocument") { index in
      let gone = Sample.document("gone.pdf")
      let here = Sample.document("here.pdf")
      try await index.commit(Sample.indexed(here))
      for document in [gone, here] {
        try await index.restore(
          PlaceHistory(
            collection: .default, uri: document.uri, nextGeneration: 4,
            tombstone: IndexedSource(
              document: document, stamp: "s", pipeline: Sample.pipeline, identity: Sample.identity, isTombstone: true),
            deleted: Sample.date))
        #expect(try await index.nextGeneration(at: document.uri, collection: .default) == 4)
      }
      #expect(try await index.source(at: gone.uri, collection: .default)?.isTombstone == true)
      #expect(try await index.source(at: here.uri, collection: .default)?.isTombstone == false)
    },
  ]
}
