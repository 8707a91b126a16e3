import Core
import OpenSearchStore
import QuarryTesting
import Testing

@Suite(.enabled(if: OpenSearchNode.absence == nil, "needs ../shared/opensearch"))
struct DocumentIndexTests {
  @Test(arguments: DocumentIndexContract.claims)
  func holds(_ claim: ContractClaim<any DocumentIndex>) async throws {
    try await withCluster { try await claim.check(OpenSearchDocumentIndex($0)) }
  }

  @Test(arguments: StoreTransferContract.claims)
  func transferHolds(_ claim: ContractClaim<any StoreTransfer>) async throws {
    try await withCluster { try await claim.check(OpenSearchDocumentIndex($0)) }
  }
}
