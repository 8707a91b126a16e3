import Core
import FoundationEssentials
import OpenSearchStore
import QuarryTesting
import Testing

@Suite(.enabled(if: OpenSearchNode.absence == nil, "needs ../shared/opensearch"))
struct UpkeepTests {
  private func inspected(_ cluster: OpenSearchCluster) -> InspectedIndex {
    InspectedIndex(
      index: OpenSearchDocumentIndex(cluster), jobs: OpenSearchJobStore(cluster, timeKeeper: .caller),
      inspection: OpenSearchStoreInspection(cluster))
  }

  @Test(arguments: StoreInspectionContract.claims)
  func inspectionHolds(_ claim: ContractClaim<InspectedIndex>) async throws {
    try await withCluster { try await claim.check(inspected($0)) }
  }

  @Test(arguments: StoreUpkeepContract.claims)
  func upkeepHolds(_ claim: ContractClaim<(subject: InspectedIndex, upkeep: any StoreUpkeep)>) async throws {
    try await withCluster { cluster in
      let upkeep = OpenSearchStoreUpkeep(cluster, cache: OpenSearchEmbeddingCache(cluster))
      try await claim.check((inspected(cluster), upkeep))
    }
  }
}
