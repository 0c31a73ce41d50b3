namespace House;

/// <summary>Notes which methods of the package run. The instrumented package calls it, so it is public.</summary>
public static class Recorder
{
    private static readonly bool[] Seen = new bool[1 << 16];
    private static volatile bool _on;

    /// <summary>Called at the start of each method, with the method's number.</summary>
    public static void Note(int method)
    {
        if (_on)
            Seen[method] = true;
    }

    /// <summary>The numbers of the methods that run, in whatever thread, while the action does.</summary>
    public static IReadOnlyList<int> During(Action action)
    {
        ArgumentNullException.ThrowIfNull(action);
        _on = true;
        action();
        _on = false;
        return [.. Enumerable.Range(0, Seen.Length).Where(method => Seen[method])];
    }
}
