public import Core
import FoundationEssentials
import Testing

/// What every ``StoreUpkeep`` must do. That it mends damage each backend shows by damaging its own store.
public enum StoreUpkeepContract {
  /// The claims, each for a fresh store.
  public static let claims: [ContractClaim<(subject: InspectedIndex, upkeep: any StoreUpkeep)>] = [
    ContractClaim("repairsNothing_whenAllIsSound") { store in
      try await store.subject.index.commit(Sample.indexed(texts: ["Water flows.", "水流过大坝。"]))
      let version = try await store.subject.index.version()
      let report = try await store.upkeep.tidy(rules: Sample.rules, isDryRun: false) { _ in }
      #expect(report.actions == [] && report.found.findings == [])
      #expect(try await store.subject.index.version() == version)
    },
    ContractClaim("onlySaysWhatItWouldDo_whenRunDry") { store in
      try await store.subject.jobs.enqueue([Sample.object("a.pdf")], now: Sample.date)
      _ = try await store.subject.jobs.lease(1, owner: "killed", now: Sample.date, leaseUntil: Sample.date + 60)
      let report = try await store.upkeep.tidy(rules: Sample.rules, isDryRun: true) { _ in }
      #expect(report.actions.map(\.code) == ["job.lease_expired"])
      #expect(try await store.subject.jobs.jobs(in: .running, limit: 9).count == 1)
    },
    ContractClaim("freesTheJobsOfKilledWorkers_keepingTheirTries") { store in
      try await store.subject.jobs.enqueue([Sample.object("a.pdf")], now: Sample.date)
      _ = try await store.subject.jobs.lease(1, owner: "killed", now: Sample.date, leaseUntil: Sample.date + 60)
      _ = try await store.upkeep.tidy(rules: Sample.rules, isDryRun: false) { _ in }
      let job = try #require(try await store.subject.jobs.jobs(in: nil, limit: 9).first)
      #expect(job.state == .queued && job.attempts == 1 && job.leaseOwner == nil)
      #expect(try await store.subject.report().findings == [])
    },
    ContractClaim("disturbsNobody_whoCommitsOrReadsMeanwhile") { store in
      try await store.subject.index.commit(Sample.indexed(Sample.document("kept.pdf"), texts: ["The gate is open."]))
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask {
          for round in 0..<20 {
            let name = "\(round % 3).pdf"
            try await store.subject.index.commit(
              Sample.indexed(Sample.document(name, content: "bytes \(round)"), texts: ["Round \(round) of the pump."]))
            if round % 3 == 2 {
              try await store.subject.index.delete(Sample.document(name).id, tombstone: false, now: Sample.date)
            }
          }
        }
        group.addTask {
          for _ in 0..<40 {
            let found = try await store.subject.index.candidates(
              for: CandidateRequest(
                embedding: FakeEmbedder().embedding(of: "gate"), identity: Sample.identity, lexicalText: "gate",
                trigramText: nil, filter: .init(), depth: 3))
            #expect(found.legs[.lexical]?.count == 1)
          }
        }
        group.addTask {
          for _ in 0..<4 { _ = try await store.upkeep.tidy(rules: Sample.rules, isDryRun: false) { _ in } }
        }
        try await group.waitForAll()
      }
      #expect(try await store.subject.report().findings == [])
    },
  ]
}
