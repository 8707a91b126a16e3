public import Core
import FoundationEssentials
import Testing

/// What every ``JobStore`` must do.
public enum JobStoreContract {
  private static let uri = Sample.object().uri

  private static func lease(
    _ store: any JobStore, _ count: Int = 10, owner: String = "a", after seconds: Double = 0, span: Double = 60
  ) async throws -> [IngestionJob] {
    let now = Sample.date + seconds
    return try await store.lease(count, owner: owner, now: now, leaseUntil: now + span)
  }

  /// The claims, each for a fresh store.
  public static let claims: [ContractClaim<any JobStore>] = work + listing

  private static let work: [ContractClaim<any JobStore>] = [
    ContractClaim("leasesOneObject_onlyWhileNobodyHoldsIt") { store in
      let object = Sample.object("one.pdf")
      try await store.enqueue([Sample.object("other.pdf"), object], now: Sample.date)
      func take(_ owner: String, at seconds: Double) async throws -> IngestionJob? {
        let now = Sample.date.addingTimeInterval(seconds)
        return try await store.lease(
          object.uri, collection: object.collection, owner: owner, now: now, leaseUntil: now.addingTimeInterval(20))
      }
      let first = try await take("a", at: 0)
      #expect(first?.uri == object.uri && first?.state == .running && first?.attempts == 1)
      #expect(try await take("b", at: 19) == nil)
      #expect(try await take("b", at: 21)?.leaseOwner == "b")
      let other = try await store.job(for: Sample.object("other.pdf").uri, collection: object.collection)
      #expect(other?.state == .queued && other?.attempts == 0)
      try await store.complete(
        object.uri, collection: object.collection, owner: "b", stageSeconds: [:], now: Sample.date)
      #expect(try await take("a", at: 60) == nil)
    },
    ContractClaim("leasesJobsInOrder_andNeverTwice") { store in
      let objects = (0..<5).map { Sample.object("\($0).pdf") }
      try await store.enqueue(objects, now: Sample.date)
      let first = try await lease(store, 3, owner: "a")
      let second = try await lease(store, 3, owner: "b")
      #expect(first.map(\.uri) == objects.prefix(3).map(\.uri))
      #expect(second.map(\.uri) == objects.suffix(2).map(\.uri))
      #expect(first.allSatisfy { $0.state == .running && $0.attempts == 1 && $0.leaseOwner == "a" })
      #expect(try await lease(store, owner: "c").isEmpty)
    },
    ContractClaim("givesJobToAnother_whenLeaseEnded") { store in
      try await store.enqueue([Sample.object()], now: Sample.date)
      _ = try await lease(store, owner: "dead")
      #expect(try await lease(store, owner: "b", after: 59).isEmpty)
      let taken = try await lease(store, owner: "b", after: 60)
      #expect(taken.map(\.attempts) == [2])
      #expect(try await !store.extendLease(of: uri, collection: .default, owner: "dead", until: Sample.date + 500))
    },
    ContractClaim("keepsJob_whileLeaseIsExtended") { store in
      try await store.enqueue([Sample.object()], now: Sample.date)
      _ = try await lease(store, owner: "a")
      #expect(try await store.extendLease(of: uri, collection: .default, owner: "a", until: Sample.date + 200))
      #expect(try await lease(store, owner: "b", after: 100).isEmpty)
      #expect(try await lease(store, owner: "b", after: 200).count == 1)
    },
    ContractClaim("ignoresWordOfWorker_whoLostTheLease") { store in
      try await store.enqueue([Sample.object()], now: Sample.date)
      _ = try await lease(store, owner: "slow")
      _ = try await lease(store, owner: "b", after: 100)
      try await store.complete(uri, collection: .default, owner: "slow", stageSeconds: [:], now: Sample.date + 101)
      #expect(try await store.job(for: uri, collection: .default)?.state == .running)
    },
    ContractClaim("recordsStageTimes_whenDone") { store in
      try await store.enqueue([Sample.object()], now: Sample.date)
      _ = try await lease(store)
      try await store.complete(
        uri, collection: .default, owner: "a", stageSeconds: ["read": 1.5, "embed": 2], now: Sample.date + 5)
      let job = try await store.job(for: uri, collection: .default)
      #expect(job?.state == .done)
      #expect(job?.stageSeconds == ["read": 1.5, "embed": 2])
      #expect(job?.leaseOwner == nil && job?.leaseUntil == nil)
      #expect(job?.updated == Sample.date + 5)
    },
    ContractClaim("retriesFailure_notBeforeItsTime_thenParks") { store in
      try await store.enqueue([Sample.object()], now: Sample.date)
      _ = try await lease(store)
      try await store.fail(
        uri, collection: .default, owner: "a", code: "pdf.timeout", message: "too slow", nextTry: Sample.date + 30,
        now: Sample.date + 1)
      let retrying = try await store.job(for: uri, collection: .default)
      #expect(retrying?.state == .retrying && retrying?.lastErrorCode == "pdf.timeout")
      #expect(try await lease(store, after: 29).isEmpty)
      #expect(try await lease(store, after: 30).map(\.attempts) == [2])
      try await store.fail(
        uri, collection: .default, owner: "a", code: "pdf.bomb", message: "hopeless", nextTry: nil,
        now: Sample.date + 31)
      #expect(try await lease(store, after: 10_000).isEmpty)
      #expect(try await store.jobs(in: .parked, limit: 10).map(\.lastError) == ["hopeless"])
    },
    ContractClaim("leavesUnfinishedJobsAlone_whenSameStampIsEnqueued") { store in
      try await store.enqueue([Sample.object("q.pdf"), Sample.object("r.pdf")], now: Sample.date)
      try await store.enqueue([Sample.object("p.pdf")], now: Sample.date)
      _ = try await lease(store, 1)
      let before = try await store.jobs(in: nil, limit: 10)
      try await store.enqueue(
        [Sample.object("q.pdf"), Sample.object("r.pdf"), Sample.object("p.pdf")], now: Sample.date + 9)
      #expect(try await store.jobs(in: nil, limit: 10) == before)
    },
    ContractClaim("keepsParkedJobParked_untilStampChanges") { store in
      try await store.enqueue([Sample.object()], now: Sample.date)
      _ = try await lease(store)
      try await store.fail(
        uri, collection: .default, owner: "a", code: "x", message: "x", nextTry: nil, now: Sample.date)
      try await store.enqueue([Sample.object()], now: Sample.date + 1)
      #expect(try await lease(store, after: 1).isEmpty)
      try await store.enqueue([Sample.object(stamp: "stamp-2")], now: Sample.date + 2)
      let job = try await lease(store, after: 2).first
      #expect(job?.stamp == "stamp-2" && job?.attempts == 1 && job?.lastErrorCode == nil)
    },
    ContractClaim("countsOnTriesOfTheSameBytes_whenRetryingJobIsEnqueued") { store in
      try await store.enqueue([Sample.object()], now: Sample.date)
      _ = try await lease(store)
      try await store.fail(
        uri, collection: .default, owner: "a", code: "x", message: "x", nextTry: Sample.date + 1_000,
        now: Sample.date)
      try await store.enqueue([Sample.object()], now: Sample.date + 1)
      #expect(try await lease(store, after: 1).map(\.attempts) == [2])
    },
    ContractClaim("queuesAgain_whenDoneObjectIsEnqueued") { store in
      try await store.enqueue([Sample.object()], now: Sample.date)
      _ = try await lease(store)
      try await store.complete(uri, collection: .default, owner: "a", stageSeconds: [:], now: Sample.date)
      try await store.enqueue([Sample.object()], now: Sample.date + 1)
      #expect(try await lease(store, after: 1).map(\.attempts) == [1])
    },
    ContractClaim("takesJobFromWorker_whenFileChangedMeanwhile") { store in
      try await store.enqueue([Sample.object()], now: Sample.date)
      _ = try await lease(store, owner: "a")
      try await store.enqueue([Sample.object(stamp: "stamp-2")], now: Sample.date + 1)
      try await store.complete(uri, collection: .default, owner: "a", stageSeconds: [:], now: Sample.date + 2)
      #expect(try await lease(store, owner: "b", after: 3).map(\.stamp) == ["stamp-2"])
    },
    ContractClaim("keepsCollectionsApart_andListsNewestFirst") { store in
      let law = CollectionName(rawValue: "law")
      try await store.enqueue([Sample.object()], now: Sample.date)
      try await store.enqueue([Sample.object(collection: law)], now: Sample.date + 1)
      #expect(try await store.jobs(in: .queued, limit: 10).map(\.collection) == [law, .default])
      #expect(try await store.jobs(in: .queued, limit: 1).map(\.collection) == [law])
      try await store.remove(uri, collection: law)
      #expect(try await store.job(for: uri, collection: law) == nil)
      #expect(try await store.job(for: uri, collection: .default) != nil)
    },
    ContractClaim("listsWhatIsNotDoneBelowARoot") { store in
      let names = ["a/1.pdf", "a/2.pdf", "a-b/3.pdf", "a0.pdf", "a"]
      let objects = names.map { Sample.object($0) }
      try await store.enqueue(objects, now: Sample.date)
      try await store.enqueue([Sample.object(collection: CollectionName(rawValue: "law"))], now: Sample.date)
      let first = try #require(
        try await store.lease(
          objects[0].uri, collection: .default, owner: "a", now: Sample.date, leaseUntil: Sample.date + 9))
      let root = try #require(objects.last).uri
      #expect(try await store.unfinished(under: root, collection: .default).map(\.uri.name) == ["a", "1.pdf", "2.pdf"])
      try await store.complete(first.uri, collection: .default, owner: "a", stageSeconds: [:], now: Sample.date)
      #expect(try await store.unfinished(under: root, collection: .default).map(\.uri.name) == ["a", "2.pdf"])
    },
    ContractClaim("takesNoLivingWorkerForGone_andNamesEachAnew") { store in
      let names = Set((0..<20).map { _ in store.makeOwner() })
      #expect(names.count == 20)
      #expect(names.allSatisfy { !store.isGone(owner: $0) })
    },
  ]
}
