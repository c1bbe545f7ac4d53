#compdef deltaglider
# Completion of deltaglider for zsh. In ~/.zshrc, after compinit:  eval "$(deltaglider completion zsh)"

_deltaglider() {
    local -a plain open described
    local kind value help files=""
    while IFS=$'\t' read -r kind value help; do
        case $kind in
            file) files=1 ;;
            plain)
                if [[ -n $help ]]; then
                    described+=("${value//:/\\:}:$help")
                elif [[ $value == */ ]]; then
                    open+=("$value")
                else
                    plain+=("$value")
                fi
                ;;
        esac
    done < <("${(Q)words[1]}" completion zsh --complete -- "${(@Q)words[1,CURRENT-1]}" "${(Q)PREFIX}" 2>/dev/null)
    (( $#described )) && _describe -V deltaglider described
    (( $#open )) && compadd -S '' -a open
    (( $#plain )) && compadd -a plain
    [[ -n $files ]] && _files
    return 0
}

if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
    _deltaglider "$@"
else
    compdef _deltaglider deltaglider
fi
