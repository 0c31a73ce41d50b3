namespace Microsoft.ML.VisionModels;

/// <summary>A LoRA that is merged into a diffusion model: a small file that changes what the model makes (arXiv 2106.09685).</summary>
/// <param name="Path">A file of kohya's, PEFT's or diffusers' names, or the folder of one.</param>
/// <param name="Weight">How much of it: 1, the default, is as it was trained; less is less, and below 0 is the opposite.</param>
public sealed record DiffusionLora(string Path, double Weight = 1);
