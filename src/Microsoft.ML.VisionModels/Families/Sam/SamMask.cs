namespace Microsoft.ML.VisionModels;

/// <summary>An answer to a prompt.</summary>
/// <param name="Mask">The pixels, in the image's size.</param>
/// <param name="Score">How good the network expects the mask to be: its intersection over union with what is meant, about 0 to 1.</param>
/// <param name="Logits">The mask as the network gives it, 256 x 256 numbers for the padded image, for <see cref="SamPrompt.Logits"/>.</param>
public sealed record SamMask(RunLengthMask Mask, float Score, float[] Logits);
