namespace Microsoft.ML.VisionModels.Tests.Samples;

/// <summary>Names that files may have, and that pages must show as they are.</summary>
internal static class OddNames
{
    /// <summary>Where file names may have them: quotes, and a tag that would run a script.</summary>
    public static string Image { get; } = OperatingSystem.IsWindows() ? "it's &lt; a red.png" : """it's "red" <img src=x onerror=document.title='run'> &lt;.png""";
}
