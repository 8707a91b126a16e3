import Core
import FoundationEssentials
import OpenSearchStore
import QuarryTesting
import Testing

@Suite(.enabled(if: OpenSearchNode.absence == nil, "needs ../shared/opensearch"))
struct SharedStateTests {
  @Test(arguments: JobStoreContract.claims)
  func jobsHold(_ claim: ContractClaim<any JobStore>) async throws {
    try await withCluster { try await claim.check(OpenSearchJobStore($0, timeKeeper: .caller)) }
  }

  @Test(arguments: EmbeddingCacheContract.claims)
  func cacheHolds(_ claim: ContractClaim<any EmbeddingCache>) async throws {
    try await withCluster { try await claim.check(OpenSearchEmbeddingCache($0)) }
  }

  @Test(arguments: ConversationStoreContract.claims)
  func conversationsHold(_ claim: ContractClaim<any ConversationStore>) async throws {
    try await withCluster { try await claim.check(OpenSearchConversationStore($0)) }
  }

  @Test(arguments: KeyStoreContract.claims)
  func keysHold(_ claim: ContractClaim<any KeyStore>) async throws {
    try await withCluster { try await claim.check(OpenSearchKeyStore($0)) }
  }

  private func objects(_ count: Int) -> [SourceObject] { (0..<count).map { Sample.object("\($0).pdf") } }

  @Test func everyJobGoesToOneWorker_whenManyAskAtOnce() async throws {
    try await withCluster { cluster in
      let store = OpenSearchJobStore(cluster)
      try await store.enqueue(objects(60), now: Date())
      let taken = try await withThrowingTaskGroup(of: [SourceURI].self) { group in
        for worker in 0..<6 {
          group.addTask {
            var mine: [SourceURI] = []
            while true {
              let jobs = try await store.lease(5, owner: "w\(worker)", now: Date(), leaseUntil: Date() + 60)
              if jobs.isEmpty { return mine }
              mine += jobs.map(\.uri)
            }
          }
        }
        return try await group.reduce(into: []) { $0 += $1 }
      }
      #expect(taken.count == 60 && Set(taken).count == 60)
    }
  }

  /// A worker whose clock is an hour fast sees every lease as over, one that is slow holds its own for an hour more:
  /// unless the cluster's clock decides.
  @Test func clockOfTheCluster_decidesWhatIsOver() async throws {
    try await withCluster { cluster in
      let store = OpenSearchJobStore(cluster)
      let fast = Date() + 3_600
      let slow = Date() - 3_600
      try await store.enqueue(objects(1), now: fast)
      let held = try await store.lease(1, owner: "a", now: slow, leaseUntil: slow + 60)
      #expect(held.count == 1)
      #expect(try await store.lease(1, owner: "b", now: fast, leaseUntil: fast + 60).isEmpty)
      let uri = Sample.object("0.pdf").uri
      let short = OpenSearchJobStore(cluster, now: { slow })
      #expect(try await short.extendLease(of: uri, collection: .default, owner: "a", until: slow + 0.5))
      try await Task.sleep(for: .milliseconds(700))
      #expect(try await store.lease(1, owner: "b", now: slow, leaseUntil: slow + 60).map(\.leaseOwner) == ["b"])
    }
  }
}
