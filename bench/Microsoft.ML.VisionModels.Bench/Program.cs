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
    Action work = arguments.What switch
    {
        "prepare" => () => Prepare.Run(arguments),
        "prepare-sam" => () => Prepare.WriteSam(arguments),
        "vit-forward" => () => ViTForward.Run(arguments, sideBySide),
        "clip-forward" => () => ClipForward.Run(arguments, sideBySide),
        "sam" => () => SamForward.Run(arguments, sideBySide),
        "sam-memory" => () => SamForward.Memory(arguments),
        "folder-to-labels" => () => FolderToLabels.Run(arguments, sideBySide),
        "train-step" => () => TrainStep.Run(arguments, sideBySide),
        "load" => () => Load.Run(arguments, sideBySide),
        Load.Child => () => Load.RunChild(arguments),
        "resize" => () => Resize.Run(arguments, sideBySide),
        "input-pipeline" => () => InputPipeline.Run(arguments, sideBySide),
        "search" => () => Search.Run(arguments, sideBySide),
        "cifar" => () => Cifar.Run(arguments, results, command),
        "sweep" => () => SweepSpeed.Run(arguments, results),
        "cifar-chart" => CurveChart.Cifar,
        "ssl-chart" => CurveChart.Ssl,
        "duplicates" => () => NearDuplicates.Run(arguments, command),
        "clip-cifar" => () => ClipCifar.Run(arguments, results, command),
        "ssl-pictures" => () => SslPictures.Run(arguments),
        "ssl-cifar" => () => SslCifar.Run(arguments, command),
        "ssl-labels" => () => SslLabels.Run(arguments, command),
        "ssl-step" => () => SslStep.Run(arguments, sideBySide),
        SslStep.Child => () => SslStep.RunChild(arguments),
        "prepare-fashion-mnist" => () => FashionMnist.Prepare(arguments),
        "diffusion" => () => DiffusionCurve.Run(arguments, command),
        "autoencoder-picture" => () => DiffusionPictures.Autoencoder(arguments),
        "diffusion-pictures" => () => DiffusionPictures.Run(arguments),
        "features" => () => Features.Run(arguments, sideBySide),
        _ => throw new ArgumentException("The first word must be autoencoder-picture, prepare, prepare-sam, prepare-fashion-mnist, vit-forward, clip-forward, sam, sam-memory, folder-to-labels, train-step, load, resize, input-pipeline, search, cifar, cifar-chart, clip-cifar, diffusion, diffusion-pictures, features, ssl-cifar, ssl-chart, ssl-labels, ssl-pictures, ssl-step, duplicates or sweep; see bench/README.md."),
    };
    work();
    return 0;
}
catch (ArgumentException e)
{
    Console.Error.WriteLine(e.Message);
    return 2;
}
