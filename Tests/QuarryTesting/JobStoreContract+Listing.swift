import Core
import FoundationEssentials
import Testing

extension JobStoreContract {
  private static let law = CollectionName(rawValue: "law")

  private static func upload(
    _ name: String, collection: CollectionName = .default, document: String? = nil, stamp: String = "stamp-1"
  ) -> SourceObject {
    SourceObject(
      uri: SourceURI(uploadNamed: name, collection: collection), collection: collection, byteCount: 1,
      modified: Sample.date, stamp: stamp, document: document.map(DocumentID.init(rawValue:)))
  }

  private static func take(_ store: any JobStore, _ object: SourceObject, at seconds: Double = 0) async throws {
    _ = try await store.lease(
      object.uri, collection: object.collection, owner: "a", now: Sample.date + seconds,
      leaseUntil: Sample.date + seconds + 20)
  }

  private static func fail(
    _ store: any JobStore, _ object: SourceObject, next seconds: Double? = nil, at time: Double = 0
  ) async throws {
    try await take(store, object, at: time)
    try await store.fail(
      object.uri, collection: object.collection, owner: "a", code: "pdf.encrypted", message: "it is locked",
      nextTry: seconds.map { Sample.date + $0 }, now: Sample.date + time)
  }

  /// The claims about looking at jobs.
  static let listing: [ContractClaim<any JobStore>] = [
    ContractClaim("findsTheJobOfADocument_andKeepsItsIDWhenQueuedWithout") { store in
      try await store.enqueue([upload("a.pdf", document: "d1"), upload("b.pdf")], now: Sample.date)
      #expect(try await store.job(of: DocumentID(rawValue: "d1"))?.uri.name == "a.pdf")
      #expect(try await store.job(of: DocumentID(rawValue: "d2")) == nil)
      try await store.enqueue([upload("a.pdf", stamp: "stamp-2")], now: Sample.date + 1)
      #expect(try await store.job(of: DocumentID(rawValue: "d1"))?.stamp == "stamp-2")
    },
    ContractClaim("listsWhatWaitsBelowARoot_soonestFirst") { store in
      let objects = ["late.pdf", "held.pdf", "first.pdf", "second.pdf", "parked.pdf", "done.pdf"].map { upload($0) }
      try await store.enqueue(objects + [Sample.object()], now: Sample.date)
      try await fail(store, objects[0], next: 100)
      try await take(store, objects[1])
      try await fail(store, objects[4])
      try await take(store, objects[5])
      try await store.complete(
        objects[5].uri, collection: .default, owner: "a", stageSeconds: [:], now: Sample.date)
      let waiting = try await store.waiting(under: .uploads, limit: 10)
      #expect(waiting.map(\.uri.name) == ["first.pdf", "second.pdf", "held.pdf", "late.pdf"])
      #expect(try await store.waiting(under: .uploads, limit: 1).map(\.uri.name) == ["first.pdf"])
      let other = SourceURI(rawValue: "upload://defaul")
      #expect(try await store.waiting(under: other, limit: 10).isEmpty)
      let exact = objects[2].uri
      #expect(try await store.waiting(under: exact, limit: 10).map(\.uri) == [exact])
    },
    ContractClaim("listsJobsByPages_ofTheCollectionsAllowed") { store in
      let names = ["a.pdf", "b.pdf", "c.pdf"]
      let objects = names.map { upload($0) } + [upload("d.pdf", collection: law)]
      try await store.enqueue(objects, now: Sample.date)
      for object in objects { try await fail(store, object) }
      let first = try await store.jobs(in: [.parked], collections: [.default], limit: 2, after: nil)
      #expect(first.jobs.map(\.uri.name) == ["a.pdf", "b.pdf"])
      let second = try await store.jobs(in: [.parked], collections: [.default], limit: 2, after: first.next)
      #expect(second.jobs.map(\.uri.name) == ["c.pdf"])
      #expect(first.next != nil && second.next == nil)
      let all = try await store.jobs(in: [.parked, .queued], collections: nil, limit: 10, after: nil)
      #expect(all.jobs.count == 4)
      #expect(try await store.jobs(in: [.queued], collections: nil, limit: 10, after: nil).jobs.isEmpty)
      #expect(try await store.jobs(in: [.parked], collections: [], limit: 10, after: nil).jobs.isEmpty)
    },
    ContractClaim("queuesAnew_onlyWhatWasGivenUpOrWaits") { store in
      let objects = ["parked.pdf", "retrying.pdf", "queued.pdf"].map { upload($0, document: $0) }
      try await store.enqueue(objects, now: Sample.date)
      try await fail(store, objects[0])
      try await fail(store, objects[1], next: 1_000)
      #expect(try await store.retry(objects[0].uri, collection: .default, now: Sample.date + 5))
      #expect(try await store.retry(objects[1].uri, collection: .default, now: Sample.date + 5))
      #expect(try await !store.retry(objects[2].uri, collection: .default, now: Sample.date + 5))
      #expect(try await !store.retry(objects[0].uri, collection: law, now: Sample.date + 5))
      let job = try await store.job(for: objects[0].uri, collection: .default)
      #expect(job?.state == .queued && job?.attempts == 0 && job?.lastErrorCode == nil && job?.lastError == nil)
      #expect(job?.updated == Sample.date + 5 && job?.document == DocumentID(rawValue: "parked.pdf"))
      let again = try await store.job(for: objects[1].uri, collection: .default)
      #expect(again?.state == .queued && again?.nextTry == nil)
    },
    ContractClaim("sumsUpJobs_byRootAndCollection") { store in
      #expect(try await store.summary(under: nil, collections: nil) == JobSummary())
      let objects = ["a.pdf", "b.pdf", "c.pdf"].map { upload($0) }
      try await store.enqueue([objects[0]], now: Sample.date + 1)
      try await store.enqueue([objects[1], objects[2], Sample.object()], now: Sample.date + 2)
      try await store.enqueue([upload("d.pdf", collection: law)], now: Sample.date)
      try await fail(store, objects[1], at: 3)
      try await take(store, objects[2], at: 3)
      try await store.complete(
        objects[2].uri, collection: .default, owner: "a", stageSeconds: [:], now: Sample.date + 4)
      let uploads = try await store.summary(under: .uploads, collections: nil)
      #expect(uploads.counts == [.queued: 2, .parked: 1, .done: 1])
      #expect(uploads.oldestWaiting == Sample.date && uploads.lastDone == Sample.date + 4)
      #expect(uploads.lastFailure?.uri == objects[1].uri && uploads.lastFailure?.lastErrorCode == "pdf.encrypted")
      let mine = try await store.summary(under: .uploads, collections: [.default])
      #expect(mine.counts[.queued] == 1 && mine.oldestWaiting == Sample.date + 1)
      #expect(try await store.summary(under: nil, collections: nil).counts[.queued] == 3)
    },
  ]
}
