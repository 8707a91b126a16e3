import Answering
import Core
import QuarryTesting
import Telemetry
import Testing

struct RewritingTests {
  private let conversation = ConversationID(rawValue: "c1")
  private let fixture = Fixture()

  /// Asks two questions; the rewriter plays `rewrite`.
  private func ask(_ rewrite: ScriptedTextGenerator.Response?, timeout: Duration = .seconds(60)) async throws -> (
    answers: [Answer], prompts: ScriptedTextGenerator, rewriter: ScriptedTextGenerator
  ) {
    _ = try await fixture.add()
    let model = ScriptedTextGenerator([
      .text("Twelve metres [1: \"twelve metres high\"]."), .text("In 1962 [1: \"built in 1962\"]."),
    ])
    let rewriter = ScriptedTextGenerator(rewrite.map { [$0] } ?? [])
    let answering = fixture.answering(
      GenerativeAnswerer(generator: model, index: fixture.index),
      rewriter: QuestionRewriter(generator: rewriter, timeout: timeout))
    var answers: [Answer] = []
    for text in ["How high is the upper weir?", "And when was it built?"] {
      answers.append(
        try await answering.answer(Question(text: text, conversation: conversation), context: .init()))
    }
    return (answers, model, rewriter)
  }

  private func events() async -> [AnswerEvent] {
    await fixture.recorded().compactMap { event in
      if case .answer(let answer) = event.payload { answer } else { nil }
    }
  }

  @Test func laterQuestionsAreSearchedAndAskedRewritten_andBothAreRecorded() async throws {
    let (answers, model, rewriter) = try await ask(.text("\"When was the upper weir built?\"\n"))
    #expect(answers[1].warnings.isEmpty && answers[1].outcome == .answered)
    #expect(rewriter.requests.count == 1, "the first question stands alone")
    let request = try #require(rewriter.requests.first)
    #expect(request.parameters.maxTokens == 128 && request.parameters.temperature == 0)
    #expect(request.turns.count == 1)
    for words in ["How high is the upper weir?", "Twelve metres [1].", "And when was it built?"] {
      #expect(request.turns[0].text.contains(words))
    }
    #expect(model.requests[1].turns.last?.text.contains("\nWhen was the upper weir built?\n") == true)
    #expect(answers[1].timings.rewriting != nil && answers[0].timings.rewriting == nil)
    let rewriting = TokenUsage(inputTokens: rewriter.countTokens(request.system), outputTokens: 0)
    #expect((answers[1].usage?.inputTokens ?? 0) > (answers[0].usage?.inputTokens ?? 0) + rewriting.inputTokens)

    let events = await events()
    #expect(events[1].question == "And when was it built?")
    #expect(events[1].rewrittenQuestion == "When was the upper weir built?")
    #expect(events[1].rewrite?.template == "rewrite" && events[1].rewrite?.failure == nil)
    #expect(
      events[1].rewrite?.hash == PromptTemplate.rewrite.hash && events[1].prompt?.hash == PromptTemplate.answer.hash)
    #expect(events[0].rewrite == nil && events[0].rewrittenQuestion == nil)
  }

  @Test(
    arguments: [
      (.text(""), "rewrite.empty"), (.text(" \n"), "rewrite.empty"),
      (.text("When was the upper weir built?\nIt was built in 1962."), "rewrite.too_long"),
      (.text("When was the upper weir", stopReason: "max_tokens"), "rewrite.too_long"),
      (.text("When was it built? " + String(repeating: "the upper weir ", count: 40)), "rewrite.too_long"),
      (.text("When was the upper weir of 1975 built?"), "rewrite.invented_number"),
      (.text("Which penguins inhabit southern Antarctica?"), "rewrite.unrelated"),
      (
        .failure(after: "When", CoreError(code: "model.down", category: .unavailable, message: "down")), "model.down"
      ),
    ] as [(ScriptedTextGenerator.Response, String)])
  func aQuestionStaysAsItIs_whenRewritingFails(_ response: ScriptedTextGenerator.Response, _ code: String) async throws
  {
    let (answers, model, _) = try await ask(response)
    #expect(answers[1].outcome == .answered)
    let warning = try #require(answers[1].warnings.first { $0.code == "question.not_rewritten" })
    #expect(warning.message.contains(code))
    #expect(model.requests[1].turns.last?.text.contains("\nAnd when was it built?\n") == true)
    let events = await events()
    #expect(events[1].rewrite?.failure == code)
    // As without a model, the search knew the question before.
    #expect(events[1].rewrittenQuestion == "How high is the upper weir? And when was it built?")
  }

  @Test func aModelThatSaysNothingIsNotWaitedFor() async throws {
    let (answers, _, rewriter) = try await ask(.stalled(after: "When was "), timeout: .milliseconds(50))
    #expect(answers[1].outcome == .answered)
    #expect(answers[1].warnings.contains { $0.message.contains("rewrite.timed_out") })
    #expect(rewriter.cancellations == 1)
  }

  @Test func longConversationsAreCutToTheNewestTurns() async throws {
    let generator = ScriptedTextGenerator([.text("How high is weir 30?")])
    let rewriter = QuestionRewriter(generator: generator)
    let history = (1...30).flatMap { number in
      [
        Turn(role: .user, text: "Where is weir \(number)?"),
        Turn(role: .assistant, text: String(repeating: "Upstream. ", count: 60)),
      ]
    }
    let outcome = try await rewriter.rewrite("How high is it?", history: history)
    #expect(outcome.question == "How high is weir 30?")
    let request = try #require(generator.requests.first)
    let tokens = generator.countTokens(request.system) + generator.countTokens(request.turns[0].text)
    #expect(tokens <= QuestionRewriter.defaultPromptTokens)
    #expect(request.turns[0].text.contains("weir 30?") && !request.turns[0].text.contains("weir 1?"))
  }
}
