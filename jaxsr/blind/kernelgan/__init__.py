"""KernelGAN: the blur kernel of a photo, estimated from its own patches.

Open `estimation.py` first: `estimate_kernel` for one photo, `estimate_kernels` for many. `kernel_files_run.py` does the
same from files to files. One run is `optimization.py` with `crops.py`, `loss_schedule.py` and `regularizers.py`;
`recipes.py` lists what paper, published code and this library do differently, `kernelgan_options.py` what users set.
"""
