public import Core
public import FoundationEssentials
import SQLite

/// The turns of conversations; a conversation belongs to its caller, and an equal id of another caller is another one.
public final class SQLiteConversationStore: ConversationStore {
  private let database: SQLiteDatabase

  /// Creates the conversation tables' view of `database`.
  public init(_ database: SQLiteDatabase) { self.database = database }

  /// The newest turns, oldest first, at most `limit`.
  public func turns(of id: ConversationID, caller: String, limit: Int) async throws -> [Turn] {
    try await database.read { connection in
      try connection.map(
        "SELECT role, content FROM turns WHERE caller = ? AND conversation = ? ORDER BY key DESC LIMIT ?", caller,
        id.rawValue, max(0, limit)
      ) { Turn(role: try Stored.word(TurnRole.self, $0.text(0), "role"), text: $0.text(1)) }.reversed()
    }
  }

  /// Adds turns.
  public func append(_ turns: [Turn], to id: ConversationID, caller: String, now: Date) async throws {
    try await database.write { connection in
      for turn in turns {
        try connection.run(
          "INSERT INTO turns (caller, conversation, role, content, time) VALUES (?, ?, ?, ?, ?)", caller, id.rawValue,
          turn.role.rawValue, turn.text, now.seconds)
      }
    }
  }
}
