import Core
import QuarryTesting
import Testing

/// The fakes must behave as the backends do, or tests built on them prove nothing.
@Suite struct FakesTests {
  @Test(arguments: DocumentIndexContract.claims)
  func inMemoryIndexHolds(_ claim: ContractClaim<any DocumentIndex>) async throws {
    try await claim.check(InMemoryDocumentIndex())
  }

  @Test(arguments: JobStoreContract.claims)
  func inMemoryJobsHold(_ claim: ContractClaim<any JobStore>) async throws {
    try await claim.check(InMemoryJobStore())
  }

  @Test(arguments: EmbeddingCacheContract.claims)
  func inMemoryCacheHolds(_ claim: ContractClaim<any EmbeddingCache>) async throws {
    try await claim.check(InMemoryEmbeddingCache())
  }

  @Test(arguments: ConversationStoreContract.claims)
  func inMemoryConversationsHold(_ claim: ContractClaim<any ConversationStore>) async throws {
    try await claim.check(InMemoryConversationStore())
  }

  @Test(arguments: KeyStoreContract.claims)
  func inMemoryKeysHold(_ claim: ContractClaim<any KeyStore>) async throws {
    try await claim.check(InMemoryKeyStore())
  }

  @Test(arguments: EventLogContract.claims)
  func inMemoryEventsHold(_ claim: ContractClaim<any EventLog>) async throws {
    try await claim.check(InMemoryEventLog())
  }
}
