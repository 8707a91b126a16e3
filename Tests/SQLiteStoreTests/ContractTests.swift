import Core
import QuarryTesting
import SQLiteStore
import Testing

@Suite struct ContractTests {
  @Test(arguments: DocumentIndexContract.claims)
  func indexHolds(_ claim: ContractClaim<any DocumentIndex>) async throws {
    try await withDatabase { database in
      try await claim.check(SQLiteDocumentIndex(database))
      // Whatever a claim did, the tables must agree afterwards.
      #expect(try await inspect(database).findings == [])
    }
  }

  @Test(arguments: JobStoreContract.claims)
  func jobsHold(_ claim: ContractClaim<any JobStore>) async throws {
    try await withDatabase { try await claim.check(SQLiteJobStore($0)) }
  }

  @Test(arguments: EmbeddingCacheContract.claims)
  func cacheHolds(_ claim: ContractClaim<any EmbeddingCache>) async throws {
    try await withDatabase { try await claim.check(SQLiteEmbeddingCache($0)) }
  }

  @Test(arguments: ConversationStoreContract.claims)
  func conversationsHold(_ claim: ContractClaim<any ConversationStore>) async throws {
    try await withDatabase { try await claim.check(SQLiteConversationStore($0)) }
  }

  @Test(arguments: KeyStoreContract.claims)
  func keysHold(_ claim: ContractClaim<any KeyStore>) async throws {
    try await withDatabase { try await claim.check(SQLiteKeyStore($0)) }
  }

  @Test(arguments: StoreTransferContract.claims)
  func transferHolds(_ claim: ContractClaim<any StoreTransfer>) async throws {
    try await withDatabase { try await claim.check(SQLiteDocumentIndex($0)) }
  }

  private func inspected(_ database: SQLiteDatabase) -> InspectedIndex {
    InspectedIndex(
      index: SQLiteDocumentIndex(database), jobs: SQLiteJobStore(database),
      inspection: SQLiteStoreInspection(path: database.path, writerTime: .seconds(60)))
  }

  @Test(arguments: StoreInspectionContract.claims)
  func inspectionHolds(_ claim: ContractClaim<InspectedIndex>) async throws {
    try await withDatabase { try await claim.check(inspected($0)) }
  }

  @Test(arguments: StoreUpkeepContract.claims)
  func upkeepHolds(_ claim: ContractClaim<(subject: InspectedIndex, upkeep: any StoreUpkeep)>) async throws {
    try await withDatabase { database in
      let upkeep = SQLiteStoreUpkeep(database, cache: SQLiteEmbeddingCache(database))
      try await claim.check((inspected(database), upkeep))
    }
  }
}
