using System.Diagnostics;

namespace Microsoft.ML.VisionModels.Core;

/// <summary>
/// What a reader guessed, chose out of several, passed over or cut off. Readers say it where they decide it; whoever works for a user
/// listens with a <see cref="NoticeLog"/>. Where nobody listens it goes to .NET's trace.
/// </summary>
internal static class Notices
{
    private static readonly AsyncLocal<NoticeLog?> s_log = new();

    /// <param name="message">What was decided, about which file, and which option or argument decides it instead.</param>
    /// <param name="kind">What is said once, whatever it is about; null for the message itself.</param>
    public static void Say(string message, string? kind = null)
    {
        if (s_log.Value is { } log)
            log.Hear(message, kind ?? message);
        else
            Trace.TraceWarning(message);
    }

    /// <summary>Lets a log hear what is said until the result is disposed of, in this thread and in what it starts.</summary>
    public static IDisposable To(NoticeLog log)
    {
        var before = s_log.Value;
        s_log.Value = log;
        return new Listening(before);
    }

    private sealed class Listening(NoticeLog? before) : IDisposable
    {
        public void Dispose() => s_log.Value = before;
    }
}

/// <summary>Writes down what is said in some piece of work, or while some model lives: each once.</summary>
/// <param name="write">Takes a message.</param>
internal sealed class NoticeLog(Action<string> write)
{
    private readonly HashSet<string> _said = [];

    public void Hear(string message, string kind)
    {
        lock (_said)
        {
            if (!_said.Add(kind))
                return;
        }
        write(message);
    }
}
