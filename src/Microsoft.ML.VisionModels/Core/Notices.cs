using System.Diagnostics;

namespace Microsoft.ML.VisionModels.Core;

/// <summary>
/// What a reader guessed, chose out of several, passed over or cut off. Readers say it where they decide it; whoever works for a user
/// listens, and each sentence is heard once in that work. Where nobody listens it goes to .NET's trace.
/// </summary>
internal static class Notices
{
    private static readonly AsyncLocal<Listener?> s_listener = new();

    /// <param name="message">What was decided, about which file, and which option or argument decides it instead.</param>
    public static void Say(string message)
    {
        if (s_listener.Value is { } listener)
            listener.Hear(message);
        else
            Trace.TraceWarning(message);
    }

    /// <summary>Hears what is said until the result is disposed of, in this thread and in what it starts.</summary>
    public static IDisposable To(Action<string> hear) => s_listener.Value = new Listener(hear, s_listener.Value);

    private sealed class Listener(Action<string> hear, Listener? before) : IDisposable
    {
        private readonly HashSet<string> _said = [];

        public void Hear(string message)
        {
            lock (_said)
            {
                if (_said.Add(message))
                    hear(message);
            }
        }

        public void Dispose() => s_listener.Value = before;
    }
}
