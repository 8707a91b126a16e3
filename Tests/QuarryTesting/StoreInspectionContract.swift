public import Core
import FoundationEssentials
import Testing

/// An index with the check of its store, as one subject.
public struct InspectedIndex: Sendable {
  /// The index.
  public var index: any DocumentIndex
  /// Its jobs.
  public var jobs: any JobStore
  /// The check of the same store.
  public var inspection: any StoreInspection

  /// Puts the parts of one store together.
  public init(index: any DocumentIndex, jobs: any JobStore, inspection: any StoreInspection) {
    self.index = index
    self.jobs = jobs
    self.inspection = inspection
  }

  func report() async throws -> IntegrityReport { try await inspection.inspect(rules: Sample.rules) { _ in } }
}

/// What every ``StoreInspection`` must do. That it finds damage each backend shows by damaging its own store.
public enum StoreInspectionContract {
  /// The claims, each for a fresh store.
  public static let claims: [ContractClaim<InspectedIndex>] = [
    ContractClaim("findsNothing_whenIndexIsEmpty") { subject in
      let report = try await subject.report()
      #expect(report.findings == [])
      #expect(report.isSound && !report.needsRepair)
    },
    ContractClaim("findsNothing_andCounts_whenDocumentsAreCommitted") { subject in
      try await subject.index.commit(Sample.indexed(texts: ["Water flows.", "", "Sand settles."]))
      try await subject.index.commit(Sample.indexed(Sample.document("水.pdf"), texts: ["水流过大坝。"]))
      let report = try await subject.report()
      #expect(report.findings == [])
      #expect(report.examined["documents"] == 2)
      #expect(report.examined["chunks"] == 3)
    },
    ContractClaim("findsNothing_afterReplacementMoveAndDeletion") { subject in
      let first = Sample.document("a.pdf")
      try await subject.index.commit(Sample.indexed(first))
      try await subject.index.commit(
        Sample.indexed(Sample.document("a.pdf", content: "other bytes"), texts: ["Now something else."]))
      try await subject.index.commit(Sample.indexed(Sample.document("b.pdf"), texts: ["Shorter."]))
      try await subject.index.move(first.id, to: SourceURI(filePath: "/library/c.pdf"), stamp: "stamp-2")
      try await subject.index.delete(Sample.document("b.pdf").id, tombstone: true, now: Sample.date)
      let report = try await subject.report()
      #expect(report.findings == [])
      #expect(report.examined["documents"] == 1)
    },
    ContractClaim("givesARebuildUnderWayAsANotice") { subject in
      try await subject.index.commit(Sample.indexed())
      let other = FakeEmbedder(model: "another")
      try await subject.index.commit(Sample.indexed(Sample.document("new.pdf"), embedder: other))
      let report = try await subject.report()
      #expect(report.counts == ["document.not_searched": 1])
      #expect(report.isSound && !report.needsRepair)
    },
    ContractClaim("findsNothing_whileOthersCommitAndDelete") { subject in
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask {
          for round in 0..<30 {
            let name = "\(round % 4).pdf"
            try await subject.index.commit(
              Sample.indexed(
                Sample.document(name, content: "bytes \(round)"),
                texts: ["Round \(round) of the gate.", "水流过第\(round)座大坝。"]))
            if round % 3 == 2 {
              try await subject.index.delete(Sample.document(name).id, tombstone: false, now: Sample.date)
            }
          }
        }
        group.addTask {
          for _ in 0..<5 {
            let report = try await subject.report()
            #expect(report.findings.filter { $0.severity != .notice } == [])
          }
        }
        try await group.waitForAll()
      }
      #expect(try await subject.report().findings == [])
    },
    ContractClaim("findsJobsOfNothing_butNotThoseOfWorkUnderWay") { subject in
      let now = Sample.date
      try await subject.index.commit(Sample.indexed(Sample.document("done.pdf")))
      try await subject.jobs.enqueue(["done.pdf", "gone.pdf", "waiting.pdf"].map { Sample.object($0) }, now: now)
      for job in try await subject.jobs.lease(2, owner: "w", now: now, leaseUntil: now + 60) {
        try await subject.jobs.complete(
          job.uri, collection: job.collection, owner: "w", stageSeconds: [:], now: now)
      }
      let report = try await subject.report()
      #expect(report.counts == ["job.orphaned": 1])
      #expect(report.findings.first?.message.contains("gone.pdf") == true)
    },
  ]
}
