namespace Microsoft.ML.VisionModels;

/// <summary>How far a folder is labeled.</summary>
/// <param name="FileName">The image that is done: its path within the folder, parts separated by '/'.</param>
/// <param name="Done">How many images are done, this one included.</param>
/// <param name="Images">How many images there are.</param>
/// <param name="Segments">How many segments the image has; null where it cannot be read and was left out.</param>
/// <param name="IsResumed">Whether it was done before, and was not looked at again.</param>
public sealed record SamLabelProgress(string FileName, int Done, int Images, int? Segments, bool IsResumed);
