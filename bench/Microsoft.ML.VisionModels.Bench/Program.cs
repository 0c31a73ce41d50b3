using System.Globalization;
using Microsoft.ML.VisionModels;
using Microsoft.ML.VisionModels.Bench;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
TorchRuntime.EnsureAvailable();
try
{
    var arguments = new BenchArguments(args);
    var command = string.Join(' ', args);
    var results = new ResultsFile(Path.Combine(Repository.Bench, "results.csv"), command);
    var sideBySide = new SideBySide(arguments, results);
    var works = new Dictionary<string, Action>
    {
        ["prepare"] = () => Prepare.Run(arguments),
        ["prepare-sam"] = () => Prepare.WriteSam(arguments),
        ["prepare-diffusion"] = () => PrepareDiffusion.Run(arguments),
        ["prepare-fashion-mnist"] = () => FashionMnist.Prepare(arguments),
        ["vit-forward"] = () => ViTForward.Run(arguments, sideBySide),
        ["clip-forward"] = () => ClipForward.Run(arguments, sideBySide),
        ["sam"] = () => SamForward.Run(arguments, sideBySide),
        ["sam-memory"] = () => SamForward.Memory(arguments),
        ["folder-to-labels"] = () => FolderToLabels.Run(arguments, sideBySide),
        ["train-step"] = () => TrainStep.Run(arguments, sideBySide),
        ["load"] = () => Load.Run(arguments, sideBySide),
        ["resize"] = () => Resize.Run(arguments, sideBySide),
        ["input-pipeline"] = () => InputPipeline.Run(arguments, sideBySide),
        ["search"] = () => Search.Run(arguments, sideBySide),
        ["cifar"] = () => Cifar.Run(arguments, results, command),
        ["cifar-chart"] = CurveChart.Cifar,
        ["clip-cifar"] = () => ClipCifar.Run(arguments, results, command),
        ["sweep"] = () => SweepSpeed.Run(arguments, results),
        ["ssl-cifar"] = () => SslCifar.Run(arguments, command),
        ["ssl-chart"] = CurveChart.Ssl,
        ["ssl-labels"] = () => SslLabels.Run(arguments, command),
        ["ssl-pictures"] = () => SslPictures.Run(arguments),
        ["ssl-step"] = () => SslStep.Run(arguments, sideBySide),
        ["features"] = () => Features.Run(arguments, sideBySide),
        ["duplicates"] = () => NearDuplicates.Run(arguments, command),
        ["diffusion"] = () => DiffusionCurve.Run(arguments, command),
        ["diffusion-pictures"] = () => DiffusionPictures.Run(arguments),
        ["autoencoder-picture"] = () => DiffusionPictures.Autoencoder(arguments),
        ["unet"] = () => DiffusionForward.RunUNet(arguments, sideBySide, results),
        ["autoencoder"] = () => DiffusionForward.RunAutoencoder(arguments, sideBySide, results),
        ["sd15"] = () => StableDiffusion.Run(arguments, results),
        // Started by others of these.
        [Load.Child] = () => Load.RunChild(arguments),
        [SslStep.Child] = () => SslStep.RunChild(arguments),
        [StableDiffusion.Child] = () => StableDiffusion.RunChild(arguments),
    };
    if (!works.TryGetValue(arguments.What, out var work))
        throw new ArgumentException($"The first word must be one of {string.Join(", ", works.Keys)}; see bench/README.md.");
    work();
    return 0;
}
catch (ArgumentException e)
{
    Console.Error.WriteLine(e.Message);
    return 2;
}
