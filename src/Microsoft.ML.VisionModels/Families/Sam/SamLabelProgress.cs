namespace Microsoft.ML.VisionModels;

/// <summary>How far a folder is labelled.</summary>
/// <param name="FileName">The picture that is done: its path within the folder, parts separated by '/'.</param>
/// <param name="Done">How many pictures are done, this one included.</param>
/// <param name="Pictures">How many pictures there are.</param>
/// <param name="Segments">How many segments the picture has; null where it cannot be read and was left out.</param>
/// <param name="IsResumed">Whether it was done before, and was not looked at again.</param>
public sealed record SamLabelProgress(string FileName, int Done, int Pictures, int? Segments, bool IsResumed);
